// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type Severity, toJson } from "../../plugins/sdk/index.ts";
import type { OutputRecord } from "./record.ts";

/** Formats a record as one line, without its line break. */
export type Formatter = (record: OutputRecord) => string;

export interface OutputEnvironment {
  readonly isTerminal: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export function formatterFor(
  format: "auto" | "json" | "text",
  { isTerminal, env }: OutputEnvironment,
): Formatter {
  if (format === "json" || (format === "auto" && !isTerminal)) return formatJson;
  // NO_COLOR counts when it is set and not empty (no-color.org).
  const isColoured = isTerminal && (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb";
  return (record) => formatText(record, isColoured);
}

function formatJson({ time, severity, name, fields }: OutputRecord): string {
  const own = `{"time":${toJson(time)},"severity":${toJson(severity)},"name":${toJson(name)}`;
  let line = own;
  for (const [key, value] of fields) {
    const json = toJson(value);
    // Values that JSON cannot represent are left out, as in JSON.stringify.
    if (json !== undefined) line += `,${toJson(key)}:${json}`;
  }
  return `${line}}`;
}

const COLOURS: Readonly<Record<Severity, number>> = { DEBUG: 90, INFO: 32, WARNING: 33, ERROR: 31 };
const DIM = 2;
const BOLD = 1;

function formatText({ time, severity, name, fields }: OutputRecord, isColoured: boolean): string {
  const paint = (text: string, colour: number | undefined): string =>
    isColoured && colour !== undefined ? `\u001b[${colour}m${text}\u001b[0m` : text;
  // Time of day only: a person at a terminal knows the date.
  const clock = time === null ? "--:--:--.---" : time.slice(time.indexOf("T") + 1, -1);
  const words = [paint(clock, DIM), paint(severity.padEnd(7), COLOURS[severity]), paint(toWord(name), BOLD)];
  for (const [key, value] of fields) {
    const word = typeof value === "string" ? toWord(value) : toJson(value);
    if (word !== undefined) words.push(`${paint(`${toWord(key)}=`, DIM)}${toVisible(word)}`);
  }
  return words.join(" ");
}

/** The text itself when it is unambiguous, otherwise in quotes. */
function toWord(text: string): string {
  return /^[^\s"=\p{C}]+$/u.test(text) ? text : toVisible(toJson(text) ?? '""');
}

/** Escapes control and bidirectional characters: a client's header must not control the terminal. */
function toVisible(text: string): string {
  return text.replace(
    /[\p{C}\u2028\u2029]/gu,
    (character) => `\\u${(character.codePointAt(0) as number).toString(16).padStart(4, "0")}`,
  );
}
