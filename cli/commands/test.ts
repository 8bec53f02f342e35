// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Command, InvalidArgumentError, Option } from "commander";
import { skipForeignFlag } from "./flags.ts";

const FORMATS = ["text", "json", "junit"];

export function testCommand(): Command {
  return new Command("test")
    .summary("run policy tests")
    .description(
      "Runs the PolicyTest documents in files, and in folders recursively: bags with expected decisions. " +
        "docs/guides/testing-policies.md explains how to write them.",
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
    .addOption(skipForeignFlag())
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
    .action(async (paths, flags) => (await import("../actions/test.ts")).test(paths, flags));
}

function percent(value: string): number {
  const number = Number(value);
  if (value.trim() === "" || !(number >= 0 && number <= 100))
    throw new InvalidArgumentError("It must be a percentage from 0 to 100.");
  return number;
}
