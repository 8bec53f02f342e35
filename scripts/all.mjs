// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

// Runs every check of the project, the cheapest first. Stops at the first that fails.
// The last line is `N passed, N failed, N skipped`, the tests of both runs of mocha.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { runTests } from "../test/support/second-run.mjs";

const settings = (name) => JSON.parse(readFileSync(new URL(`../${name}`, import.meta.url), "utf8"));

/** Globs of the tests that the coverage is counted with: they run there, and need not run twice. */
const COVERED = settings(".mocharc.covered.json").spec;

/** Options of mocha for files that are named on the command line: a configuration's own files would be added to them. */
const { timeout, reporter } = settings(".mocharc.json");
const ALONE =
  `--no-config --exit --check-leaks --forbid-only --import=tsx --timeout=${timeout} --reporter=${reporter}`.split(
    " ",
  );

/** @type {ReadonlyArray<readonly [name: string, command: string, args: readonly string[], isTests?: boolean]>} */
const CHECKS = [
  ["types", "npm", ["run", "--silent", "build"]],
  ["format", "npx", ["biome", "format", "."]],
  ["lint", "npx", ["oxlint", "--type-aware", "--deny-warnings"]],
  ["dead code", "npx", ["knip"]],
  ["generated files", "npm", ["run", "--silent", "generated", "--", "--check"]],
  [
    "tests of core",
    "npx",
    ["c8", "--check-coverage=false", "mocha", "--config", ".mocharc.covered.json"],
    true,
  ],
  ["their coverage", "npx", ["c8", "check-coverage"]],
  ["other tests", "npx", ["mocha", ...COVERED.flatMap((glob) => ["--ignore", glob])], true],
];

const totals = { passed: 0, failed: 0, skipped: 0 };
const unsteady = [];

/** Runs one check, and returns its exit status. */
function run(command, args, isTests) {
  if (!isTests) return spawnSync(command, args, { stdio: "inherit" }).status ?? 1;
  const result = runTests(command, args, ALONE);
  for (const figure of Object.keys(totals)) totals[figure] += result[figure];
  unsteady.push(...result.unsteady);
  return result.status;
}

function end(status) {
  if (unsteady.length > 0)
    process.stdout.write(`\nPassed only when run alone:\n  ${unsteady.join("\n  ")}\n`);
  const { passed, failed, skipped } = totals;
  process.stdout.write(
    `\n${passed} passed, ${status === 0 ? failed : failed || 1} failed, ${skipped} skipped\n`,
  );
  process.exit(status);
}

for (const [name, command, args, isTests] of CHECKS) {
  const startedMs = performance.now();
  process.stdout.write(`\n== ${name}: ${command} ${args.join(" ")}\n`);
  const status = run(command, args, isTests);
  if (status !== 0) {
    process.stdout.write(`\n== ${name}: failed\n`);
    end(status);
  }
  process.stdout.write(`== ${name}: ok (${((performance.now() - startedMs) / 1000).toFixed(1)} s)\n`);
}
end(0);
