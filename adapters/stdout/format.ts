// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type Severity, toJson } from "../../plugins/sdk/index.ts";
import type { OutputRecord } from "./record.ts";

/** A record as one line, without its line break. */
export type Formatter = (record: OutputRecord) => string;

export interface Surroundings {
  readonly isTerminal: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export function formatterFor(format: "auto" | "json" | "text", { isTerminal, env }: Surroundings): Formatter {
  if (format === "json" || (format === "auto" && !isTerminal)) return formatJson;
  // NO_COLOR as no-color.org defines it: set and not empty.
  const isColoured = isTerminal && (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb";
  return (record) => formatText(record, isColoured);
}

function formatJson({ time, severity, name, fields }: OutputRecord): string {
  const own = `{"time":${toJson(time)},"severity":${toJson(severity)},"name":${toJson(name)}`;
  let line = own;
  for (const [key, value] of fields) {
    const json = toJson(value);
    // What JSON has no form for is left out, as JSON.stringify does.
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
  // The day is known to who watches a terminal.
  const clock = time === null ? "--:--:--.---" : time.slice(time.indexOf("T") + 1, -1);
  const words = [paint(clock, DIM), paint(severity.padEnd(7), COLOURS[severity]), paint(toWord(name), BOLD)];
  for (const [key, value] of fields) {
    const word = typeof value === "string" ? toWord(value) : toJson(value);
    if (word !== undefined) words.push(`${paint(`${toWord(key)}=`, DIM)}${toVisible(word)}`);
  }
  return words.join(" ");
}

/** As it is when it cannot be misread, otherwise in quotes. */
function toWord(text: string): string {
  return /^[^\s"=\p{C}]+$/u.test(text) ? text : toVisible(toJson(text) ?? '""');
}

/** Control characters, and those that turn text's direction, must not reach a terminal from a client's header. */
function toVisible(text: string): string {
  return text.replace(
    /[\p{C}\u2028\u2029]/gu,
    (character) => `\\u${(character.codePointAt(0) as number).toString(16).padStart(4, "0")}`,
  );
}
