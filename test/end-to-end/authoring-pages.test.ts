// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { blocksOf, namedFilesOn, readText } from "../support/documentation.ts";
import { type NpmFolder, npmFolder, requireRegistry } from "../support/npm-folder.ts";

/** Longest code that a page may ask of a new author, in lines. */
const MAX_LINES = 40;

describe("a new author who follows a page literally", function () {
  this.timeout(180_000);
  let folder: NpmFolder;
  before(() => (folder = npmFolder()));
  after(() => folder.remove());

  for (const [path, tests] of [
    ["docs/guides/adapters.md", 14],
    ["docs/guides/plugins.md", 9],
  ] as const) {
    it(`has an extension that passes its tests and is loaded: ${path}`, async function () {
      const page = readText(path).split(/^## /m)[0] as string;
      const files = namedFilesOn(page);
      const code = [...files].find(([name]) => name.endsWith(".ts"))?.[1] ?? assert.fail("no code");
      assert.ok(code.split("\n").length < MAX_LINES);
      const [first = "", then = ""] = blocksOf(page, "sh");
      let below = "";
      const follow = async (commands: string): Promise<string> => {
        let output = "";
        for (const command of commands.trim().split("\n")) {
          const [, subfolder] = /^cd (\S+)$/.exec(command) ?? [];
          if (subfolder !== undefined) {
            below = join(below, subfolder);
            continue;
          }
          const result = await folder.run(command, below);
          if (command === "npm install") requireRegistry(this, result);
          assert.equal(result.code, 0, `${command}:\n${result.output}`);
          output += result.output;
        }
        return output;
      };
      const passing = new RegExp(`^ *${tests} passing`, "m");
      assert.match(await follow(first), passing);
      for (const [name, text] of files) {
        assert.equal(dirname(dirname(name)), below);
        writeFileSync(join(folder.path, name), text);
      }
      const output = await follow(then);
      assert.match(output, passing);
      assert.match(output, /2 documents, .* 0 errors, 0 warnings/);
    });
  }
});
