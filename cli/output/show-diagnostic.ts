// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type Diagnostic, formatDiagnostic } from "../../kernel/diagnostic.ts";
import { ERROR_CATALOG } from "../../kernel/error-catalog.ts";

/** Longest excerpt of a source line, in UTF-16 units; it includes the faulty part. */
const SHOWN_WIDTH = 160;
/** Characters of a long line that are shown before the faulty part. */
const SHOWN_BEFORE = 40;

const INDENT = "    ";

/**
 * A diagnostic with its source line, the faulty part underlined, and the remedy; with ANSI colours when
 * `colour`.
 */
export function showDiagnostic(diagnostic: Diagnostic, source: string | undefined, colour: boolean): string {
  // A note asks for nothing, so that one line is enough.
  if (diagnostic.severity === "note") return formatDiagnostic(diagnostic);
  const paint = (code: string, text: string) => (colour ? `\u001B[${code}m${text}\u001B[0m` : text);
  const tint = diagnostic.severity === "error" ? "1;31" : "1;33";
  const [head = "", ...rest] = formatDiagnostic(diagnostic).split(`: ${diagnostic.severity}: `);
  const first = `${paint("1", head)}: ${paint(tint, diagnostic.severity)}: ${rest.join(`: ${diagnostic.severity}: `)}`;
  const remedy = `${INDENT}${ERROR_CATALOG[diagnostic.code].remedy}`;
  const excerpt = excerptOf(diagnostic, source);
  if (excerpt === undefined) return `${first}\n${remedy}\n`;
  return `${first}\n${INDENT}${excerpt.line}\n${INDENT}${paint(tint, excerpt.underline)}\n${remedy}\n`;
}

/** For editors: lines and columns start at 1, in UTF-16 units; ends are exclusive. */
export function diagnosticAsJson({ location, end, severity, code, message, suggestion }: Diagnostic) {
  return {
    file: location.file,
    line: location.line,
    column: location.column,
    endLine: end?.line ?? location.line,
    endColumn: end?.column ?? location.column,
    severity,
    code,
    message,
    ...(suggestion === undefined ? {} : { suggestion }),
    remedy: ERROR_CATALOG[code].remedy,
  };
}

function excerptOf(
  { location, end }: Diagnostic,
  source: string | undefined,
): { readonly line: string; readonly underline: string } | undefined {
  const line = source?.split(/\r?\n/)[location.line - 1];
  if (line === undefined || line.trim() === "") return undefined;
  const start = Math.min(location.column - 1, line.length);
  const past = end === undefined ? start + 1 : end.line > location.line ? line.length : end.column - 1;
  const from = line.length > SHOWN_WIDTH ? Math.max(0, start - SHOWN_BEFORE) : 0;
  const shown = line.slice(from, from + SHOWN_WIDTH);
  const width = Math.min(Math.max(1, past - start), Math.max(1, shown.length - (start - from)));
  const blank = shown.slice(0, start - from).replace(/[^\t]/g, " ");
  return { line: shown.replace(CONTROL, "\uFFFD"), underline: `${blank}^${"~".repeat(width - 1)}` };
}

/** Control characters in a file must not reach the terminal. */
const CONTROL = /[^\P{Cc}\t]/gu;
