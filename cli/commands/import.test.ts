// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runMain } from "../../test/support/run-main.ts";

const CONFIG = `domain: shop
descriptors: [{ key: user, value: bob, rate_limit: { unit: minute, requests_per_unit: 10 } }]
`;

describe("purser import", () => {
  let folder: string;
  let config: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "purser-import-"));
    config = join(folder, "c.yaml");
    writeFileSync(config, CONFIG);
  });
  after(() => rmSync(folder, { recursive: true }));

  const run = (...args: string[]) => runMain("import", ...args);

  const ENTRY = ["--entry", 'user=request.headers."x-user"'];

  it("prints documents", async () => {
    const { code, out, err } = await run("ratelimit", config, ...ENTRY, "--match", 'request.method = "GET"');
    assert.equal(code, 0, err);
    assert.match(out, /^ {2}match: \(request\.method = "GET"\) and \$exists\(.*\) and .* = "bob"$/m);
  });

  it("writes documents to a folder", async () => {
    const out = join(folder, "out");
    const { code, err } = await run("ratelimit", config, ...ENTRY, "--out", out);
    assert.deepEqual([code, err], [0, `${join(out, "ratelimit.yaml")}: 1 QuotaPolicy\n`]);
    assert.match(readFileSync(join(out, "ratelimit.yaml"), "utf8"), /^kind: QuotaPolicy$/m);
  });

  it("refuses faulty flags and parts without a counterpart", async () => {
    for (const [args, expected] of [
      [["ratelimit", config], /c\.yaml:2:15: error: no expression is known for the key "user"/],
      [["ratelimit", config, "--entry", "user"], /It must be a key, = and an expression/],
      [["nginx", config], /Allowed choices are ratelimit/],
    ] as const) {
      const { code, out, err } = await run(...args);
      assert.deepEqual([code, out], [2, ""]);
      assert.match(err, expected);
    }
  });
});
