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

/** Where a command writes what it was asked for. */
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
      "Reads documents as `purser run` does, extensions included, and prints every fault with its place: unknown fields and " +
        "names, references that lead nowhere, and conditions that cannot work or go wrong when an attribute is absent. " +
        "Nothing is started, and no backend is called.",
    )
    .argument("[paths...]", "files and folders of documents")
    .addOption(configFlag().makeOptionMandatory(false))
    .addOption(
      new Option("--format <format>", "text for people, json for editors")
        .choices(["text", "json"])
        .default("text"),
    )
    .option("--warnings-as-errors", "let every warning fail, as a pipeline may want")
    .option("--promote <code>", "let warnings of this code fail; give it again for more", promoted)
    .option("--quiet", "print errors alone: no warnings, no summary")
    .addHelpText(
      "after",
      `
Exit code: 0 when there is no error, 2 when there is one, or the command line has a fault.

Examples:
  purser validate mesh/                              what "purser run -c mesh/" would say, and its warnings
  purser validate mesh/ --warnings-as-errors         in a pipeline: risky conditions fail too
  purser validate mesh/ --promote PURSER_EXPR_ABSENT only conditions that an absent attribute decides fail besides
  purser validate mesh/ --format json                for an editor: [{ file, line, column, endLine, endColumn, … }]

What is checked: docs/policies.md. What each code means: docs/errors.md.`,
    )
    .action(async (paths: readonly string[], flags: Flags) => {
      const all = [...paths, ...(flags.config ?? [])];
      if (all.length === 0)
        throw new PurserError(
          "PURSER_CLI_USAGE",
          "validate needs a file or folder, such as purser validate mesh/",
        );
      const checked = await checkConfig(all);
      const diagnostics = checked.diagnostics.map((diagnostic) => withSeverity(diagnostic, flags));
      print(checked, diagnostics, flags, output);
      // The faults are printed: the exit code is all that is left to say.
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
