// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { SPREADS } from "./cells.ts";
import { type Accuracy, type Cell, isBroken, type MeasuredRow } from "./measure.ts";

const COLUMNS = ["window", "store", "demand", "allowed", ...Object.keys(SPREADS)];

/** The table as text for a terminal; a cell that breaks its promise has a `!`. */
export function accuracyText({ rows }: Accuracy): string {
  const line = (cells: readonly string[]): string => cells.map((cell) => cell.padStart(14)).join("");
  return [
    "admitted less than allowed, in an average window, and the bound",
    ...byAlgorithm(rows).flatMap(([algorithm, own]) => [
      algorithm,
      line(COLUMNS),
      ...own.map((row) => line([...factsOf(row), ...cellsOf(row, " <= ")])),
    ]),
    verdictOf(rows),
    "",
  ].join("\n");
}

/** The table as Markdown. */
export function accuracyMarkdown({ rows }: Accuracy): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [
    ...byAlgorithm(rows).flatMap(([algorithm, own]) => [
      `\`${algorithm}\`:`,
      "",
      line(COLUMNS),
      line(COLUMNS.map(() => "---:")),
      ...own.map((row) => line([...factsOf(row), ...cellsOf(row, " ≤ ")])),
      "",
    ]),
    verdictOf(rows),
  ].join("\n");
}

function byAlgorithm(rows: readonly MeasuredRow[]): readonly (readonly [string, readonly MeasuredRow[]])[] {
  return [...new Set(rows.map(({ algorithm }) => algorithm))].map((algorithm) => [
    algorithm,
    rows.filter((row) => row.algorithm === algorithm),
  ]);
}

function factsOf({ windowMs, storeLatencyMs, load, allowed }: MeasuredRow): readonly string[] {
  return [`${windowMs / 1_000} s`, `${storeLatencyMs} ms`, `${load} ×`, allowed.toFixed(1)];
}

function cellsOf({ cells }: MeasuredRow, atMost: string): readonly string[] {
  return Object.values(cells).map(
    (cell) => `${cell.under.toFixed(1)}${atMost}${cell.bound.toFixed(1)}${isBroken(cell) ? "!" : ""}`,
  );
}

function verdictOf(rows: readonly MeasuredRow[]): string {
  const cells = rows.flatMap((row) => Object.values(row.cells));
  const most = (figure: (cell: Cell) => number): number => Math.max(...cells.map(figure));
  return (
    `${cells.length} cells: over-admission at most ${most(({ over }) => over)}, ` +
    `failed requests at most ${most(({ failed }) => failed)}, ` +
    `cells that admit less than their bound allows: ${cells.filter(({ under, bound }) => under > bound).length}.`
  );
}
