// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { ERROR_CATALOG, type ErrorCode } from "./error-catalog.ts";

/** A place in a file that a user wrote. Lines and columns start at 1; columns count UTF-16 units. */
export interface SourceLocation {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** One fault of a configuration, with its location and perhaps a suggestion. */
export interface Diagnostic {
  /** A note tells what was done at the user's request, such as a document that was skipped: nothing is wrong. */
  readonly severity: "error" | "warning" | "note";
  readonly code: ErrorCode;
  readonly location: SourceLocation;
  /** End of the faulty part in the same file, exclusive; absent when only its start is known. */
  readonly end?: Pick<SourceLocation, "line" | "column">;
  /** One sentence without the location. */
  readonly message: string;
  /** Probably intended text, for "did you mean …?"; absent when no candidate is near. */
  readonly suggestion?: string;
}

/** The outcome of checking a user's text, which may have faults in many places at once. */
export type Checked<T> =
  | { readonly ok: true; readonly value: T; readonly warnings: readonly Diagnostic[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/**
 * `file:line:column: message (did you mean "x"?) [CODE]`, a form that editors turn into links; with `remedy`,
 * the catalog's remedy on a second line.
 */
export function formatDiagnostic(
  diagnostic: Diagnostic,
  options: { readonly remedy?: boolean } = {},
): string {
  const { file, line, column } = diagnostic.location;
  const hint =
    diagnostic.suggestion === undefined ? "" : ` (did you mean ${JSON.stringify(diagnostic.suggestion)}?)`;
  const first = `${file}:${line}:${column}: ${diagnostic.severity}: ${diagnostic.message}${hint} [${diagnostic.code}]`;
  return options.remedy === true ? `${first}\n    ${ERROR_CATALOG[diagnostic.code].remedy}` : first;
}

/** The first fault and the number of faults, for messages that have no room for all. */
export function briefly(diagnostics: readonly Diagnostic[]): {
  readonly first: string;
  readonly faults: number;
} {
  const [first] = diagnostics;
  return { first: first === undefined ? "" : formatDiagnostic(first), faults: diagnostics.length };
}

/** Orders diagnostics by file, line and column. */
export function compareDiagnostics(a: Diagnostic, b: Diagnostic): number {
  return (
    a.location.file.localeCompare(b.location.file) ||
    a.location.line - b.location.line ||
    a.location.column - b.location.column
  );
}

/** One fault of a spec; it becomes a Diagnostic with PURSER_DOC_INVALID_VALUE. */
export interface SpecFault {
  /** Path of the value inside `spec`. */
  readonly path: readonly (string | number)[];
  /** A sentence that says what is wrong, without the location. */
  readonly message: string;
  readonly suggestion?: string;
}
