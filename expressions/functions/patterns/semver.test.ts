// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { SEMVER_FUNCTIONS } from "./semver.ts";

const [isIn, compare] = SEMVER_FUNCTIONS.map(({ implementation }) => implementation) as unknown as [
  (version: string, range: string) => boolean,
  (a?: string, b?: string) => number | undefined,
];

describe("semantic versions", () => {
  it("agree with npm's ranges", () => {
    assert.equal(isIn("1.2.3", "1.x || >=2.5.0 || 5.0.0 - 7.2.3"), true);
    assert.equal(isIn("2.4.9", "1.x || >=2.5.0 || 5.0.0 - 7.2.3"), false);
    assert.equal(isIn("0.2.9", "^0.2.3"), true);
    assert.equal(isIn("0.3.0", "^0.2.3"), false);
    assert.equal(isIn("1.2.3-beta.2", ">=1.2.3-alpha <2"), true);
    assert.equal(isIn("1.2.4-beta.2", ">=1.2.3-alpha <2"), false);
    assert.equal(isIn("7.0.0", "*"), true);
  });

  it("are in no range when malformed", () => {
    for (const version of ["", "1", "1.2", "latest", "1.2.3.4", "01.2.3", `1.2.3-${"a".repeat(300)}`])
      assert.equal(isIn(version, "*"), false, version);
  });

  it("are refused with a malformed range", () => {
    for (const range of ["latest", ">>1", "1.2.3.4", "^", "* ".repeat(200)])
      assert.throws(() => isIn("1.0.0", range), { code: "D4006" }, range);
  });

  it("are ordered by the specification", () => {
    // The example of semver.org, rule 11.
    const ordered = [
      "1.0.0-alpha",
      "1.0.0-alpha.1",
      "1.0.0-alpha.beta",
      "1.0.0-beta",
      "1.0.0-beta.2",
      "1.0.0-beta.11",
      "1.0.0-rc.1",
      "1.0.0",
    ];
    for (const [i, a] of ordered.entries())
      for (const [j, b] of ordered.entries()) assert.equal(compare(a, b), Math.sign(i - j), `${a} ${b}`);
    assert.equal(compare("1.0.0+a", "1.0.0+b"), 0);
  });

  it("have no order when malformed or absent", () => {
    assert.equal(compare("1.0", "1.0.0"), undefined);
    assert.equal(compare("1.0.0", "x"), undefined);
    assert.equal(compare("1.0.0"), undefined);
  });
});
