// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Runs of lines of the bundle that are consecutive lines of one source, by their first line; made by scripts/bundle.mjs. */
export interface LineTable {
  /** Paths relative to the folder of the bundle. */
  readonly sources: readonly string[];
  /** Ascending triples: line in the bundle, index in `sources`, line in the source. Lines start at 1. */
  readonly runs: readonly number[];
}

/** V8 declares no toString of its frames, which gives the frame's line of a stack trace. */
interface Frame {
  toString(): string;
}

/**
 * Makes stack traces name the file and line of each module instead of the bundle's. The table is read when the first
 * stack trace is read.
 */
export function showModuleLines(bundle: string, tableFile: string): void {
  let table: LineTable | undefined;
  Error.prepareStackTrace = (error, frames) => {
    table ??= readTable(tableFile);
    const lines = frames.map(
      (frame: Frame) => `\n    at ${withModuleLine(frame.toString(), bundle, table as LineTable)}`,
    );
    return `${headOf(error)}${lines.join("")}`;
  };
}

/** Replaces a position in the bundle by the position in the module, without a column. */
export function withModuleLine(frame: string, bundle: string, table: LineTable): string {
  const at = frame.indexOf(`${bundle}:`);
  if (at < 0) return frame;
  const rest = frame.slice(at + bundle.length + 1);
  const [position = "", line = ""] = /^(\d+):\d+/.exec(rest) ?? [];
  const module = moduleLine(Number(line), table);
  if (module === undefined) return frame;
  return `${frame.slice(0, at)}${join(dirname(bundle), module)}${rest.slice(position.length)}`;
}

function moduleLine(line: number, { sources, runs }: LineTable): string | undefined {
  let low = 0;
  let high = runs.length / 3;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((runs[3 * middle] as number) <= line) low = middle + 1;
    else high = middle;
  }
  if (low === 0) return undefined;
  const [start = 0, source = 0, first = 0] = runs.slice(3 * (low - 1), 3 * low);
  return `${sources[source]}:${first + line - start}`;
}

function readTable(file: string): LineTable {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as LineTable;
  } catch {
    // Stack traces then name the bundle's lines.
    return { sources: [], runs: [] };
  }
}

/** The first line of the error's stack; text of foreign errors may throw. */
function headOf(error: Error): string {
  try {
    return String(error);
  } catch {
    return "Error";
  }
}
