// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { writeFile } from "node:fs/promises";
import { coveragePercent } from "../../core/explain/coverage.ts";
import { messageOf, PurserError } from "../../kernel/errors.ts";
import { type Style, styleOf } from "../../tools/terminal.ts";
import { findTests } from "../../tools/policy-tests/find-tests.ts";
import { jsonReport, junitReport } from "../../tools/policy-tests/machine-reports.ts";
import { createProgress } from "../../tools/progress.ts";
import { runTests, type TestRun } from "../../tools/policy-tests/run-tests.ts";
import { coverageText, isFailed, summaryLine, textReport } from "../../tools/policy-tests/text-report.ts";
import { CommandFailed } from "../commands/command-failed.ts";
import { readConfig } from "../compose/part-config.ts";
import { createRuntime } from "../compose/runtime.ts";

interface Flags {
  readonly filter?: string;
  readonly format: "text" | "json" | "junit";
  readonly output?: string;
  readonly coverage?: true;
  readonly coverageThreshold?: number;
  readonly skipForeign?: boolean;
}

/** Runs the PolicyTest documents in `paths`. */
export async function test(paths: readonly string[], flags: Flags): Promise<void> {
  const runtime = createRuntime({ logLevel: "warn", logFormat: "auto" });
  const tests = await findTests(paths, flags);
  const { filter } = flags;
  const pattern = filter === undefined ? undefined : globPattern(filter);
  const progress = createProgress();
  const run = await runTests(tests, {
    runtime,
    readSnapshot: (paths) => readConfig(paths, runtime, flags),
    isWanted: (suite, name) =>
      pattern === undefined || pattern.test(name) || pattern.test(`${suite}/${name}`),
    onProgress: (finished, next) => progress.at(`${finished} done, ${next}`),
  });
  progress.done();
  if (run.cases.length === 0)
    throw new PurserError(
      "PURSER_NO_TESTS",
      filter === undefined
        ? `there is no PolicyTest in ${paths.join(", ")}`
        : `no case matches --filter ${filter}`,
    );
  await write(run, flags);
  if (run.cases.some(isFailed) || isBelowThreshold(run, flags)) throw new CommandFailed();
}

async function write(run: TestRun, { format, output, coverage }: Flags): Promise<void> {
  const toTerminal = output === undefined;
  const style = styleOf(toTerminal ? process.stdout : {}, process.env);
  const report = {
    text: () => textOf(run, coverage, style),
    json: () => jsonReport(run),
    junit: () => junitReport(run),
  };
  const text = report[format]();
  if (toTerminal) process.stdout.write(text);
  else {
    try {
      await writeFile(output, text);
    } catch (cause) {
      throw new PurserError("PURSER_CLI_USAGE", `--output ${output} cannot be written: ${messageOf(cause)}`, {
        cause,
      });
    }
    process.stdout.write(`${summaryLine(run.cases, styleOf(process.stdout, process.env))}\n`);
  }
  // JSON includes the coverage already; JUnit has no form for it.
  if (coverage === true && format === "junit")
    process.stderr.write(coverageText(run.coverage, styleOf(process.stderr, process.env)));
}

function textOf(run: TestRun, coverage: true | undefined, style: Style): string {
  const report = textReport(run, style);
  return coverage === true ? `${report}\n${coverageText(run.coverage, style)}` : report;
}

function isBelowThreshold({ coverage }: TestRun, { coverageThreshold }: Flags): boolean {
  if (coverageThreshold === undefined) return false;
  const reached = coveragePercent(coverage);
  if (reached >= coverageThreshold) return false;
  process.stderr.write(
    `purser: ${reached.toFixed(1)} % of the expressions are covered, less than --coverage-threshold ${coverageThreshold} %\n`,
  );
  return true;
}

function globPattern(glob: string): RegExp {
  const escaped = glob.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replace(/\*+/g, ".*").replaceAll("?", ".")}$`, "su");
}
