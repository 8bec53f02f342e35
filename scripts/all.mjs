// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

// Runs every check of the project, the cheapest first. Stops at the first that fails.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** Globs of the tests that the coverage is counted with: they run there, and need not run twice. */
const COVERED = JSON.parse(readFileSync(new URL("../.mocharc.covered.json", import.meta.url), "utf8")).spec;

/** @type {ReadonlyArray<readonly [name: string, command: string, args: readonly string[]]>} */
const CHECKS = [
  ["types", "npm", ["run", "--silent", "build"]],
  ["format", "npx", ["biome", "format", "."]],
  ["lint", "npx", ["oxlint", "--type-aware", "--deny-warnings"]],
  ["dead code", "npx", ["knip"]],
  ["generated files", "npm", ["run", "--silent", "generated", "--", "--check"]],
  ["tests of core, with their coverage", "npm", ["run", "--silent", "coverage"]],
  ["other tests", "npx", ["mocha", ...COVERED.flatMap((glob) => ["--ignore", glob])]],
];

for (const [name, command, args] of CHECKS) {
  const startedMs = performance.now();
  process.stdout.write(`\n== ${name}: ${command} ${args.join(" ")}\n`);
  const { status } = spawnSync(command, args, { stdio: "inherit" });
  if (status !== 0) {
    process.stdout.write(`\n== ${name}: failed\n`);
    process.exit(status ?? 1);
  }
  process.stdout.write(`== ${name}: ok (${((performance.now() - startedMs) / 1000).toFixed(1)} s)\n`);
}
