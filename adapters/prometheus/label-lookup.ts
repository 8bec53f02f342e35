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

/** A hash table of series, with linear probing. */
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

  /** @param slot The slot that the lookup returned; the series in it, if any, is replaced. */
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

/** Slots that a lookup looks at. Of 400 label sets in 1,024 slots, 1 or 2 find no free slot among so many. */
const MAX_PROBES = 4;

/**
 * A lookup in a hash table, compiled for these label names: V8 reads a field that the code names three times as fast as a field whose
 * name is a variable.
 *
 * The hash looks at the length and one character of each value, so that it costs less than V8's hash of a text. The caller chooses
 * the character by the values that it has (hash-places.ts), since the values of a label often differ in few places; a client can choose values whose
 * hashes are equal. A label set that finds MAX_PROBES slots taken replaces the series in the first, and the slower Maps find the
 * other (series-table.ts): a collision costs some 50 ns, never a scan.
 *
 * @param places For each label the place of the character, counted from the value's end: 0 is the last one.
 * @returns Undefined where the host forbids to make code of text, or for more than 64 labels.
 */
export function compileLookup(keys: readonly string[], places: readonly number[]): LabelLookup | undefined {
  if (keys.length > MAX_LABELS) return undefined;
  const lines = keys.map((key, index) => {
    const value = `v${index}`;
    const place = places[index] as number;
    return `const ${value} = labels[${JSON.stringify(key)}];
if (typeof ${value} !== "string") return ${UNFIT};
length = ${value}.length;
hash = Math.imul(hash, 0x9e3779b1) + length | 0;
if (length > ${place}) hash = hash + (${value}.charCodeAt(length - ${place + 1}) << 7) | 0;`;
  });
  const equal = keys.map((_, index) => `cells[start + ${index + 1}] === v${index}`);
  // A step of the finalizer of MurmurHash3 (github.com/aappleby/smhasher) mixes all bits into those that the mask keeps.
  const code = `let count = 0;
for (const _ in labels) count++;
if (count !== ${keys.length}) return ${UNFIT};
let hash = 0, length = 0;
${lines.join("\n")}
const home = (Math.imul(hash ^ (hash >>> 16), 0x85ebca6b) >>> 16) & mask;
let slot = home;
for (let probe = 0; probe < ${MAX_PROBES}; probe++) {
  const start = slot * ${keys.length + 1};
  const series = cells[start];
  if (series === undefined) return slot;
  if (${equal.join(" && ") || "true"}) return series;
  slot = (slot + 1) & mask;
}
return home;`;
  try {
    // oxlint-disable-next-line typescript/no-implied-eval -- code generation, of label names as JSON and of numbers alone
    return new Function("labels", "cells", "mask", code) as LabelLookup;
  } catch {
    return undefined;
  }
}
