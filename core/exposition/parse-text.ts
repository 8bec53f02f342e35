// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ExposedFamily, ExposedSeries, FamilyType } from "./family.ts";
import { FamilyText, type Sample } from "./family-text.ts";

/** A text, read. */
export interface ParsedText {
  readonly families: readonly ExposedFamily[];
  /** Number of samples that could not be read. */
  readonly unreadable: number;
}

const COMMENT = /^#[ \t]+(HELP|TYPE)[ \t]+([^ \t]+)[ \t]*(.*)$/;
const LABEL = /[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"((?:[^"\\]|\\.)*)"[ \t]*,?/y;
const REST = /[ \t]*}?[ \t]*([^ \t]+)(?:[ \t]+(-?[0-9]+))?[ \t]*$/y;

/** Lines between two steps. */
const STEP = 64;

/**
 * Reads Prometheus' text format 0.0.4. Counters, gauges and untyped series are read again when somebody asks for them: to keep
 * 100,000 objects meanwhile would cost pauses of the garbage collector. Yields now and then, so that the caller can let others run: a text of 100,000 series takes
 * half a second.
 */
export function* parseText(text: string): Generator<void, ParsedText> {
  const families = new Map<string, FamilyText>();
  const open = (name: string): FamilyText => {
    const family = families.get(name) ?? new FamilyText(name);
    families.set(name, family);
    return family;
  };
  let current: FamilyText | undefined;
  let unreadable = 0;
  let lines = 0;
  for (let start = 0, next = 0; start < text.length; start = next) {
    next = endOfLine(text, start);
    const line = text.slice(start, next).trimEnd();
    if (++lines % STEP === 0) yield;
    if (line.startsWith("#")) {
      const [, keyword, name, rest = ""] = COMMENT.exec(line) ?? [];
      if (name === undefined) continue;
      current = open(name);
      if (keyword === "HELP")
        current.help ??= rest.replace(/\\([\\n])/g, (_, char) => (char === "n" ? "\n" : "\\"));
      else current.type ??= typeOf(rest.trim());
    } else if (line !== "") {
      const sample = sampleIn(line);
      if (sample === undefined) {
        unreadable++;
        continue;
      }
      if (current === undefined || !current.takes(sample.name)) current = open(sample.name);
      if (!current.add(sample, start, next)) unreadable++;
    }
  }
  const samples = (from: number, to: number): Iterable<Sample> => samplesIn(text, from, to);
  return { families: [...families.values()].map((family) => family.exposed(samples)), unreadable };
}

/** The samples of lines that have been found readable. */
function* samplesIn(text: string, from: number, to: number): Generator<Sample> {
  for (let start = from, next = from; start < to; start = next) {
    next = endOfLine(text, start);
    const line = text.slice(start, next).trimEnd();
    const sample = line.startsWith("#") ? undefined : sampleIn(line);
    if (sample !== undefined) yield sample;
  }
}

/** The start of the next line. */
function endOfLine(text: string, start: number): number {
  const end = text.indexOf("\n", start);
  return end < 0 ? text.length : end + 1;
}

/** All of parseText at once. */
export function parseWholeText(text: string): ParsedText {
  const steps = parseText(text);
  for (let step = steps.next(); ; step = steps.next()) if (step.done === true) return step.value;
}

function typeOf(word: string): FamilyType {
  return word === "counter" || word === "gauge" || word === "histogram" || word === "summary"
    ? word
    : "untyped";
}

function sampleIn(line: string): Sample | undefined {
  const end = line.search(/[{ \t]/);
  if (end <= 0) return undefined;
  const labelNames: string[] = [];
  const labels: string[] = [];
  REST.lastIndex = end;
  if (line[end] === "{") {
    LABEL.lastIndex = REST.lastIndex = end + 1;
    for (let label = LABEL.exec(line); label !== null; label = LABEL.exec(line)) {
      const [, name = "", value = ""] = label;
      labelNames.push(name);
      labels.push(unescaped(value));
      REST.lastIndex = LABEL.lastIndex;
    }
  }
  const [, valueText, timestamp] = REST.exec(line) ?? [];
  const value = numberIn(valueText);
  if (value === undefined) return undefined;
  const timestampMs = timestamp === undefined ? {} : { timestampMs: Number(timestamp) };
  return { name: line.slice(0, end), labelNames, labels, value, ...timestampMs };
}

function unescaped(value: string): string {
  return value.includes("\\")
    ? value.replace(/\\(.)/g, (_, char: string) => (char === "n" ? "\n" : char))
    : value;
}

function numberIn(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const infinity = /^([+-]?)inf$/i.exec(text);
  if (infinity !== null) return infinity[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const value = Number(text);
  return Number.isNaN(value) && !/^nan$/i.test(text) ? undefined : value;
}

/** A series' identity within its family: its labels, in canonical order. */
export function seriesKey({ labelNames, labels }: ExposedSeries): string {
  return labelNames
    .map((name, index) => `${name}=${JSON.stringify(labels[index] ?? "")}`)
    .sort()
    .join();
}
