// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fc from "fast-check";

import { ownText } from "./fast-strings.ts";

/**
 * Runs in a fresh process: in a process that has run much code V8 may have repaired String.prototype already.
 */
const SCRIPT = `
  import { restoreFastStrings } from ${JSON.stringify(new URL("./fast-strings.ts", import.meta.url).href)};
  const seen = [%HasFastProperties(String.prototype)];
  class Text extends String {}
  seen.push(%HasFastProperties(String.prototype));
  restoreFastStrings();
  seen.push(%HasFastProperties(String.prototype));
  console.log(seen.join(" "));
`;

describe("restoreFastStrings", () => {
  it("undoes the slowdown of all strings by a subclass of String", () => {
    const flags = ["--allow-natives-syntax", "--import=tsx", "--input-type=module", "--eval", SCRIPT];
    const seen = execFileSync(process.execPath, flags, { encoding: "utf8", timeout: 20_000 });
    assert.equal(seen.trim(), "true false true", "if it is never false, this is needed no more");
  });
});

describe("ownText", () => {
  it("is the same text", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.constantFrom("__proto__", "0", "1e3", "")),
        (text) => ownText(text) === text,
      ),
    );
  });
});
