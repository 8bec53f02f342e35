// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Command, InvalidArgumentError, Option } from "commander";
import { ERROR_CATALOG, type ErrorCode } from "../../kernel/error-catalog.ts";
import { suggest } from "../../kernel/suggest.ts";
import { allowEmptyFlag, configFlag, skipForeignFlag, strictFlag } from "./flags.ts";
import type { Output } from "../actions/validate.ts";

export function validateCommand(output: Output = process.stdout): Command {
  return new Command("validate")
    .summary("check documents without running anything")
    .description(
      "Reads documents as `purser run` does, extensions included, and prints every fault with its location: unknown fields and " +
        "names, dangling references, and conditions that cannot hold or that an absent attribute decides the wrong way. " +
        "Starts nothing and calls no backend. Refuses a set without documents to enforce, as `purser run` does.",
    )
    .argument("[paths...]", "files and folders of documents; default: the present folder")
    .addOption(configFlag().makeOptionMandatory(false))
    .addOption(
      new Option("--format <format>", "text for people, json for editors")
        .choices(["text", "json"])
        .default("text"),
    )
    .option("--warnings-as-errors", "treat every warning as an error")
    .option("--promote <code>", "treat warnings of this code as errors; repeatable", promoted)
    .addOption(allowEmptyFlag())
    .addOption(skipForeignFlag())
    .addOption(strictFlag())
    .option("--quiet", "print only errors, without warnings and summary")
    .addHelpText(
      "after",
      `
Exit codes: 0 no error, 2 an error in the documents or on the command line.

Examples:
  purser validate                                    documents of this folder, as purser init writes them
  purser validate mesh/                              the errors of "purser run -c mesh/", and warnings
  purser validate mesh/ --warnings-as-errors         in a pipeline: warnings fail too
  purser validate mesh/ --promote PURSER_EXPR_ABSENT of the warnings, only those of this code fail
  purser validate mesh/ --format json                for an editor: [{ file, line, column, endLine, endColumn, … }]

docs/guides/policies.md describes the checks, docs/reference/errors.md the codes.`,
    )
    .action(async (paths, flags) => (await import("../actions/validate.ts")).validate(paths, flags, output));
}

function promoted(value: string, previous: readonly ErrorCode[] = []): readonly ErrorCode[] {
  if (Object.hasOwn(ERROR_CATALOG, value)) return [...previous, value as ErrorCode];
  const near = suggest(value, Object.keys(ERROR_CATALOG));
  throw new InvalidArgumentError(
    `There is no such code${near === undefined ? "" : ` (did you mean ${near}?)`}.`,
  );
}
