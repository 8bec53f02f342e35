// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { join } from "node:path";
import { TEMPLATE_NAMES } from "../../core/templates/template-names.ts";
import { type NpmFolder, npmFolder, requireRegistry } from "../support/npm-folder.ts";
import { purser } from "../support/program.ts";

/** Commands, and the number of tests of the contract. */
const EXTENSIONS = [
  ["adapter", "my-webhook", "", 14],
  ["adapter", "everything", ` --template ${TEMPLATE_NAMES.join()}`, 14],
  ["plugin", "tenant", "", 9],
  ["plugin", "null", " --template listentry,checknothing,headers,authorization", 9],
] as const;

describe("an extension that purser new writes", function () {
  this.timeout(180_000);
  let folder: NpmFolder;
  before(() => (folder = npmFolder()));
  after(() => folder.remove());

  for (const [kind, name, flags, tests] of EXTENSIONS) {
    it(`passes its tests, and is loaded by documents: ${kind} ${name}`, async function () {
      const ran = async (command: string, below: string = name) => {
        const result = await folder.run(command, below);
        assert.equal(result.code, 0, `${command}:\n${result.output}`);
        return result.output;
      };
      await ran(`purser new ${kind} ${name}${flags}`, "");
      const installed = await folder.run("npm install --prefer-offline", name);
      requireRegistry(this, installed);
      assert.equal(installed.code, 0, installed.output);
      assert.match(await ran("npm test"), new RegExp(`^ *${tests} passing`, "m"));
      assert.match(await ran("npx purser validate documents/"), / 0 errors, 0 warnings/);
      const documents = join(folder.path, name, "documents");
      const ports = ["--edge-port", "--admin-port", "--mixer-port", "--pilot-port"].flatMap((flag) => [
        flag,
        "0",
      ]);
      const program = purser("run", "-c", documents, "--allow-empty", "--log-format", "json", ...ports);
      try {
        await program.until(/^Listening$/m);
      } finally {
        await program.stop();
      }
    });
  }
});
