// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type Severity, toJson } from "../../plugins/sdk/index.ts";
import type { OutputRecord } from "./record.ts";

/**
 * Appends the parts of a record's line, without its line break. The parts of a batch are joined once, which
 * copies each character once and makes no text for a line or for a part of it.
 */
export type Formatter = (record: OutputRecord, parts: string[]) => void;

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
  return (record, parts) => void parts.push(formatText(record, isColoured));
}

function formatJson({ time, severity, name, fields }: OutputRecord, parts: string[]): void {
  parts.push(headText(time, severity, name));
  for (const key of Object.keys(fields)) {
    const value = fields[key];
    const member = memberOf(key);
    // A method, a status or an address is often that of the line before. An object may have changed since.
    const isKnown = value === member.value && typeof value !== "object";
    const json = isKnown ? member.json : toJson(value);
    // Values that JSON cannot represent are left out, as in JSON.stringify.
    if (json === undefined) continue;
    parts.push(member.key, json);
    if (isKnown || json.length > LONGEST_KEPT) continue;
    member.value = value;
    member.json = json;
  }
  parts.push("}");
}

/** The last head: the lines of one millisecond mostly share it. */
const lastHead = { time: "" as string | null, severity: "", name: "", text: "" };

function headText(time: string | null, severity: Severity, name: string): string {
  if (time !== lastHead.time || name !== lastHead.name || severity !== lastHead.severity) {
    lastHead.time = time;
    lastHead.severity = severity;
    lastHead.name = name;
    lastHead.text = `{"time":${toJson(time)},"severity":${toJson(severity)},"name":${toJson(name)}`;
  }
  return lastHead.text;
}

/** The record's own fields, which no variable may replace. */
const OWN_FIELDS: ReadonlySet<string> = new Set(["time", "severity", "name"]);

function fieldName(key: string): string {
  return OWN_FIELDS.has(key) ? `_${key}` : key;
}

/** A member of lines in JSON: the text before its value, and its last value. */
interface Member {
  readonly key: string;
  value: unknown;
  json: string | undefined;
}

/** The members by their keys. Keys come from documents, so that there are few. */
const members = new Map<string, Member>();

/** Longest value that is kept, in characters of JSON. */
const LONGEST_KEPT = 256;

/** Largest size of the table; a full table, as of a caller with keys of its own, starts anew. */
const MOST_MEMBERS = 1_000;

function memberOf(key: string): Member {
  let member = members.get(key);
  if (member === undefined) {
    if (members.size >= MOST_MEMBERS) members.clear();
    member = { key: `,${toJson(fieldName(key))}:`, value: undefined, json: undefined };
    members.set(key, member);
  }
  return member;
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
  for (const key of Object.keys(fields)) {
    const value = fields[key];
    const word = typeof value === "string" ? toWord(value) : toJson(value);
    if (word !== undefined) words.push(`${paint(`${toWord(fieldName(key))}=`, DIM)}${toVisible(word)}`);
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
