// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { CommanderError } from "commander";
import type { Diagnostic } from "../../kernel/diagnostic.ts";
import type { ErrorCode } from "../../kernel/error-catalog.ts";
import { type CheckedConfig, checkConfig } from "../compose/part-config.ts";
import { adviceForEmptyFolder, PRESENT_FOLDER } from "../output/present-folder.ts";
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
  readonly allowEmpty?: boolean;
  readonly skipForeign?: boolean;
  readonly strict?: boolean;
}

/** Checks the documents in `paths` and in `flags.config`, or those of the present folder, and prints their diagnostics to `output`. */
export async function validate(paths: readonly string[], flags: Flags, output: Output): Promise<void> {
  const named = [...paths, ...(flags.config ?? [])];
  const checked = await checkConfig(named.length === 0 ? PRESENT_FOLDER : named, flags);
  const diagnostics = checked.diagnostics.map((diagnostic) => withSeverity(diagnostic, flags));
  print(checked, diagnostics, flags, output);
  if (named.length === 0 && diagnostics.some(({ code }) => code === EMPTY))
    process.stderr.write(adviceForEmptyFolder("purser validate FOLDER"));
  // The faults are printed already: only the exit code remains.
  if (diagnostics.some(({ severity }) => severity === "error"))
    throw new CommanderError(2, "purser.validate.faults", "");
}

const EMPTY: ErrorCode = "PURSER_CONFIG_EMPTY";

function withSeverity(diagnostic: Diagnostic, { warningsAsErrors, promote = [] }: Flags): Diagnostic {
  if (diagnostic.severity === "note") return diagnostic;
  const fails = warningsAsErrors === true || promote.includes(diagnostic.code);
  return fails ? { ...diagnostic, severity: "error" } : diagnostic;
}

function print(
  { sources, documents, expressions, checkedBySchemaAlone }: CheckedConfig,
  diagnostics: readonly Diagnostic[],
  { format, quiet }: Flags,
  output: Output,
): void {
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  const withoutNotes = diagnostics.filter(({ severity }) => severity !== "note");
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
    counted(withoutNotes.length - errors.length, "warning"),
  ];
  output.write(`${counts.join(", ")}\n`);
  for (const { name, definition, from, location } of checkedBySchemaAlone)
    output.write(
      `Handler ${name} (${location.file}:${location.line}) is checked by its schema alone, since the ${definition.extension} ${definition.name} of ${from} has no check.\n`,
    );
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
