// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";

/** The most files that get a second run: failures in more of them are no accident of a busy machine. */
const MOST_FILES = 8;

/**
 * Runs mocha. Files with a failed test run once more, alone: tests of real programs under load share two cores with the
 * machine's other work, and one of thousands loses its race now and then. A file that fails twice fails the run, and a
 * test that passed only the second time is told by name, so that it gets mended.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {readonly string[]} alone Arguments of mocha (its options, without files) for the second run.
 * @returns {{ status: number, passed: number, failed: number, skipped: number, unsteady: string[] }} The exit status,
 *   numbers of tests, and the titles of those that needed the second run.
 */
export function runTests(command, args, alone) {
  const first = runOnce(command, args);
  const figures = { passed: first.passes, failed: first.failures, skipped: first.pending };
  if (first.status === 0) return { status: 0, ...figures, unsteady: [] };
  const files = [...new Set(first.failed.map(({ file }) => file))];
  const isWorthIt = files.length > 0 && files.length <= MOST_FILES && !files.includes(undefined);
  if (!isWorthIt) return { status: first.status, ...figures, unsteady: [] };
  process.stdout.write(`\n== once more, alone: ${files.map((file) => relative(".", file)).join(" ")}\n`);
  const second = runOnce("npx", ["mocha", ...alone, ...files]);
  if (second.status !== 0) return { status: second.status, ...figures, unsteady: [] };
  const unsteady = first.failed.map(({ title, file }) => `${relative(".", file)}: ${title}`);
  return { status: 0, ...figures, passed: figures.passed + figures.failed, failed: 0, unsteady };
}

function runOnce(command, args) {
  const folder = mkdtempSync(join(tmpdir(), "purser-report-"));
  try {
    const report = join(folder, "report.json");
    const { status } = spawnSync(command, args, {
      stdio: "inherit",
      env: { ...process.env, MOCHA_JSON_REPORT: report },
    });
    return { status: status ?? 1, ...readReport(report) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A run that died before its end has no report: it counts as one failure, of no file. */
function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return { passes: 0, failures: 1, pending: 0, failed: [] };
  }
}
