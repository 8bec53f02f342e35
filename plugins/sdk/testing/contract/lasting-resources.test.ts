// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));

/** An adapter and a plugin that leave the result of an expression open, and the tests of their contracts. */
const leaking = (leak: string): string => `
import { createServer } from "node:net";
import { spawn } from "node:child_process";
import { watch } from "node:fs";
import { defineAdapter, definePlugin, Type } from ${JSON.stringify(join(ROOT, "plugins/sdk/index.ts"))};
import { describeAdapterContract, describePluginContract } from ${JSON.stringify(join(ROOT, "plugins/sdk/testing/index.ts"))};

const draft = { name: "leaking", description: "Leaks.", config: Type.Object({}) };
const close = () => {};
describeAdapterContract(
  defineAdapter({
    ...draft,
    templates: ["logentry"],
    build() {
      ${leak};
      return { logentry() {}, close };
    },
  }),
);
describePluginContract(
  definePlugin({
    ...draft,
    build: () => ({
      apply(hooks) {
        hooks.attributes.tap("leaking", () => void ${leak});
      },
      close,
    }),
  }),
);
`;

/** What an extension may leave open, as an expression. */
const LEAKS: Readonly<Record<string, string>> = {
  interval: "setInterval(() => {}, 1000)",
  timer: "setTimeout(() => {}, 3_600_000)",
  server: 'createServer().listen(0, "127.0.0.1")',
  watch: "watch(import.meta.dirname)",
  process: 'spawn("sleep", ["20"])',
};

/** Longest time for the tests, in milliseconds. The process would go on for ever. */
const DEADLINE_MS = 30_000;

describe("a contract suite whose subject leaves something open", () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), "purser-leaks-"))));
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const [what, leak] of Object.entries(LEAKS)) {
    it(`fails, and its process ends: ${what}`, async () => {
      const file = join(folder, `${what}.test.mjs`);
      writeFileSync(file, leaking(leak));
      // Without --exit, mocha's process ends only when nothing keeps it.
      const mocha = join(ROOT, "node_modules/mocha/bin/mocha.js");
      const args = [mocha, "--no-config", "--import=tsx", "--timeout=20000", "--reporter=dot", file];
      const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
      let output = "";
      child.stdout.on("data", (text) => (output += String(text)));
      child.stderr.on("data", (text) => (output += String(text)));
      const timer = setTimeout(() => child.kill("SIGKILL"), DEADLINE_MS);
      const [status] = (await once(child, "exit")) as [number | null];
      clearTimeout(timer);
      assert.equal(status, 2, output);
      assert.match(output, /2 failing/, output);
      assert.match(output, /left \d+ \w+ behind after close/, output);
    }).timeout(DEADLINE_MS + 5_000);
  }
});
