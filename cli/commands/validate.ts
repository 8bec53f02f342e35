// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import type { Diagnostic } from "../../kernel/diagnostic.ts";
import { ERROR_CATALOG, type ErrorCode } from "../../kernel/error-catalog.ts";
import { PurserError } from "../../kernel/errors.ts";
import { suggest } from "../../kernel/suggest.ts";
import { configFlag } from "./flags.ts";
import { type CheckedConfig, checkConfig } from "../compose/part-config.ts";
import { diagnosticAsJson, showDiagnostic } from "../output/show-diagnostic.ts";

/** Output stream of a command's results. */
export interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

interface Flags {
  readonly config?: readonly string[];
  readonly format: "text" | "json";
  readonly warningsAsErrors?: boolean;
  readonly promote?: readonly ErrorCode[];
  readonly quiet?: boolean;
}

export function validateCommand(output: Output = process.stdout): Command {
  return new Command("validate")
    .summary("check documents without running anything")
    .description(
      "Reads documents as `purser run` does, extensions included, and prints every fault with its location: unknown fields and " +
        "names, dangling references, and conditions that cannot hold or that an absent attribute decides the wrong way. " +
        "Starts nothing and calls no backend.",
    )
    .argument("[paths...]", "files and folders of documents")
    .addOption(configFlag().makeOptionMandatory(false))
    .addOption(
      new Option("--format <format>", "text for people, json for editors")
        .choices(["text", "json"])
        .default("text"),
    )
    .option("--warnings-as-errors", "treat every warning as an error")
    .option("--promote <code>", "treat warnings of this code as errors; repeatable", promoted)
    .option("--quiet", "print only errors, without warnings and summary")
    .addHelpText(
      "after",
      `
Exit codes: 0 no error, 2 an error in the documents or on the command line.

Examples:
  purser validate mesh/                              the errors of "purser run -c mesh/", and warnings
  purser validate mesh/ --warnings-as-errors         in a pipeline: warnings fail too
  purser validate mesh/ --promote PURSER_EXPR_ABSENT of the warnings, only those of this code fail
  purser validate mesh/ --format json                for an editor: [{ file, line, column, endLine, endColumn, … }]

docs/policies.md describes the checks, docs/errors.md the codes.`,
    )
    .action(async (paths: readonly string[], flags: Flags) => {
      const all = [...paths, ...(flags.config ?? [])];
      if (all.length === 0)
        throw new PurserError("PURSER_CLI_USAGE", "validate needs a file or folder: purser validate mesh/");
      const checked = await checkConfig(all);
      const diagnostics = checked.diagnostics.map((diagnostic) => withSeverity(diagnostic, flags));
      print(checked, diagnostics, flags, output);
      // The faults are printed already: only the exit code remains.
      if (diagnostics.some(({ severity }) => severity === "error"))
        throw new CommanderError(2, "purser.validate.faults", "");
    });
}

function promoted(value: string, previous: readonly ErrorCode[] = []): readonly ErrorCode[] {
  if (Object.hasOwn(ERROR_CATALOG, value)) return [...previous, value as ErrorCode];
  const near = suggest(value, Object.keys(ERROR_CATALOG));
  throw new InvalidArgumentError(
    `There is no such code${near === undefined ? "" : ` (did you mean ${near}?)`}.`,
  );
}

function withSeverity(diagnostic: Diagnostic, { warningsAsErrors, promote = [] }: Flags): Diagnostic {
  const fails = warningsAsErrors === true || promote.includes(diagnostic.code);
  return fails ? { ...diagnostic, severity: "error" } : diagnostic;
}

function print(
  { sources, documents, expressions }: CheckedConfig,
  diagnostics: readonly Diagnostic[],
  { format, quiet }: Flags,
  output: Output,
): void {
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  const shown = quiet === true ? errors : diagnostics;
  if (format === "json") {
    output.write(`${JSON.stringify(shown.map(diagnosticAsJson), undefined, 2)}\n`);
    return;
  }
  const colour = output.isTTY === true && (process.env["NO_COLOR"] ?? "") === "";
  for (const diagnostic of shown)
    output.write(`${showDiagnostic(diagnostic, sources.get(diagnostic.location.file), colour)}\n`);
  if (quiet === true) return;
  const counts = [
    counted(documents, "document"),
    counted(expressions, "expression"),
    counted(errors.length, "error"),
    counted(diagnostics.length - errors.length, "warning"),
  ];
  output.write(`${counts.join(", ")}\n`);
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
