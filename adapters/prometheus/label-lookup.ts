// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { LabelValues, Series } from "./series.ts";

/**
 * Finds the series of a label set that came before.
 *
 * @param cells The cells of a SlotTable.
 * @returns A series of the table; a slot of the table, 0 or more, when the label set is not in it; or UNFIT when the labels are
 * not exactly those of the lookup, or one is not text.
 */
export type LabelLookup = (labels: LabelValues, cells: readonly unknown[], mask: number) => Series | number;

/** A hash table of series. A label set whose slot is taken replaces the one there. */
export class SlotTable {
  /**
   * For each slot a series and its label values, side by side: one cache line, where the way over the series takes three.
   */
  readonly cells: readonly unknown[];
  /** The number of slots, a power of two, less one. */
  readonly mask: number;

  constructor(slots: number, labels: number) {
    this.cells = Array.from({ length: slots * (labels + 1) }, () => undefined);
    this.mask = slots - 1;
  }

  set(slot: number, series: Series): void {
    const cells = this.cells as unknown[];
    const { labels } = series;
    const start = slot * (labels.length + 1);
    cells[start] = series;
    for (let index = 0; index < labels.length; index++) cells[start + 1 + index] = labels[index];
  }
}

/** The labels have other keys than the lookup, or values that are not text. */
export const UNFIT = -1;

/** V8 does not optimize functions beyond 60 KiB of bytecode; a label takes about 100 bytes. */
const MAX_LABELS = 64;

/**
 * A lookup in a hash table, compiled for these label names. For four labels and 1,600 series in random order it takes 48 ns, on a
 * machine where one Map for each label takes 97 ns, one Map by a joined text 675 ns, and the same hash over a `for…in` loop
 * 75 ns: V8 reads a field that the code names three times as fast as a field whose name is a variable.
 *
 * The hash looks at the length and two characters of each value, so that it costs less than V8's hash of a text, and a client
 * can choose values whose hashes are equal. Label sets with equal hashes take one slot, and the slower Maps find the others
 * (series-table.ts): a collision costs 50 ns, never a scan.
 *
 * @returns Undefined where the host forbids to make code of text, or for more than 64 labels.
 */
export function compileLookup(keys: readonly string[]): LabelLookup | undefined {
  if (keys.length > MAX_LABELS) return undefined;
  const lines = keys.map((key, index) => {
    const value = `v${index}`;
    return `const ${value} = labels[${JSON.stringify(key)}];
if (typeof ${value} !== "string") return ${UNFIT};
length = ${value}.length;
if (length > 0) hash = (Math.imul(hash, 0x9e3779b1) + (${value}.charCodeAt(length - 1) + (${value}.charCodeAt(length >> 1) << 7)) + length) | 0;`;
  });
  const equal = keys.map((_, index) => `cells[start + ${index + 1}] === v${index}`);
  const code = `let count = 0;
for (const _ in labels) count++;
if (count !== ${keys.length}) return ${UNFIT};
let hash = 0, length = 0;
${lines.join("\n")}
const slot = (hash ^ (hash >>> 15)) & mask;
const start = slot * ${keys.length + 1};
const series = cells[start];
return ${["series !== undefined", ...equal].join(" && ")} ? series : slot;`;
  try {
    // oxlint-disable-next-line typescript/no-implied-eval -- code generation, of label names as JSON alone
    return new Function("labels", "cells", "mask", code) as LabelLookup;
  } catch {
    return undefined;
  }
}
