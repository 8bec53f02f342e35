// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { writeFile } from "node:fs/promises";
import { Command, InvalidArgumentError, Option } from "commander";
import { coveragePercent } from "../../core/explain/coverage.ts";
import { messageOf, PurserError } from "../../kernel/errors.ts";
import { type Style, styleOf } from "../../tools/terminal.ts";
import { findTests } from "../../tools/policy-tests/find-tests.ts";
import { jsonReport, junitReport } from "../../tools/policy-tests/machine-reports.ts";
import { createProgress } from "../../tools/progress.ts";
import { runTests, type TestRun } from "../../tools/policy-tests/run-tests.ts";
import { coverageText, isFailed, summaryLine, textReport } from "../../tools/policy-tests/text-report.ts";
import { CommandFailed } from "./command-failed.ts";
import { readConfig } from "../compose/part-config.ts";
import { createRuntime } from "../compose/runtime.ts";

const FORMATS = ["text", "json", "junit"] as const;

interface Flags {
  readonly filter?: string;
  readonly format: (typeof FORMATS)[number];
  readonly output?: string;
  readonly coverage?: true;
  readonly coverageThreshold?: number;
}

export function testCommand(): Command {
  return new Command("test")
    .summary("run policy tests")
    .description(
      "Runs the PolicyTest documents in files, and in folders recursively: bags with expected decisions. " +
        "docs/testing-policies.md explains how to write them.",
    )
    .argument("[paths...]", "files and folders", ["."])
    .option(
      "--filter <glob>",
      "run only cases whose name, or test/name, matches; * is any text, ? any character",
    )
    .addOption(new Option("--format <format>", "the form of the results").choices(FORMATS).default("text"))
    .option("--output <file>", "the file for the results; default: standard output")
    .option("--coverage", "show the parts of the policies' expressions that no case evaluated")
    .option("--coverage-threshold <percent>", "fail when less of the expressions is covered", percent)
    .addHelpText(
      "after",
      `
Examples:
  purser test                                     every test below this folder
  purser test policies/ --filter '*guest*'        only some tests
  purser test policies/ --coverage                and the parts not covered
  purser test policies/ --format junit --output results.xml --coverage-threshold 80

A test, beside its policies:
  apiVersion: purser.dev/v1
  kind: PolicyTest
  metadata: { name: guests }
  spec:
    policies: [./guests.yaml]
    cases:
      - name: guests are refused
        bag: { request: { method: GET, headers: { x-user: guest } } }
        expect: { decision: PERMISSION_DENIED, decidedBy: guests }

Exit codes: 0 all passed, 1 a case failed or coverage is too low, 2 a flag, a test or a policy is faulty.`,
    )
    .action(test);
}

async function test(paths: readonly string[], flags: Flags): Promise<void> {
  const runtime = createRuntime({ logLevel: "warn", logFormat: "auto" });
  const tests = await findTests(paths);
  const { filter } = flags;
  const pattern = filter === undefined ? undefined : globPattern(filter);
  const progress = createProgress();
  const run = await runTests(tests, {
    runtime,
    readSnapshot: (paths) => readConfig(paths, runtime),
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

function percent(value: string): number {
  const number = Number(value);
  if (value.trim() === "" || !(number >= 0 && number <= 100))
    throw new InvalidArgumentError("It must be a percentage from 0 to 100.");
  return number;
}
