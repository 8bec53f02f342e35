// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

const PROGRAM = path.resolve("dist/cli/purser.js");

describe("the first policy of docs/guides/policies.md", () => {
  let folder: string;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "purser-first-policy-"));
  });

  after(() => rm(folder, { recursive: true }));

  it("is checked, tested, explained and measured as the page shows", async function () {
    this.timeout(60_000);
    const page = await readFile("docs/guides/policies.md", "utf8");
    const section = /## A first policy\n(.*?)\n## /s.exec(page)?.[1] ?? "";
    const [policy, tests] = [...section.matchAll(/```yaml\n(.*?)```/gs)].map((fence) => fence[1] as string);
    await writeFile(path.join(folder, "reviews.yaml"), policy ?? "");
    await writeFile(path.join(folder, "reviews.test.yaml"), tests ?? "");
    const commands = (/```sh\n(.*?)```/s.exec(section)?.[1] ?? "").trim().split("\n");
    const outputs: string[] = [];
    for (const command of commands) {
      const words = [...command.matchAll(/'([^']*)'|(\S+)/g)].map((word) => word[1] ?? (word[2] as string));
      assert.equal(words.shift(), "purser");
      // execFile rejects when the program's exit code is not 0.
      const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, ...words], { cwd: folder });
      outputs.push(stdout);
    }
    const [validated, tested, explained, measured, ...more] = outputs as [string, string, string, string];
    assert.deepEqual(more, []);
    assert.match(validated, /0 errors, 0 warnings/);
    assert.match(tested, /^3 passed$/m);
    assert.match(explained, /^refused: PERMISSION_DENIED \(403\) by AccessPolicy reviews-for-readers/);
    assert.match(explained, /request\.headers\."x-group" = "editors"\s+false {2}<- decides/);
    assert.match(measured, /reviews-for-readers/);
  });
});
