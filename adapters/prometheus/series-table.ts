// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { hashPlaces } from "./hash-places.ts";
import { compileLookup, type LabelLookup, SlotTable } from "./label-lookup.ts";
import type { LabelValues, Series } from "./series.ts";

/** Value of every label of the overflow series. */
export const OVERFLOW = "_overflow";

/** Longer values are cut: 10,000 series of paths chosen by an attacker must not fill the memory. */
const MAX_VALUE_LENGTH = 1024;

/** Slots of the hash table in front of the Maps: at first, and at most (640 KiB for four labels). */
const FIRST_SLOTS = 16;
const MAX_SLOTS = 16_384;

/** Share of `expireAfterMs` that must pass before a full table looks for idle series again. */
const EXPIRY_SHARE = 1 / 8;

export interface SeriesTableOptions {
  /** Labels as instances name them, in order. */
  readonly keys: readonly string[];
  readonly maxSeries: number;
  /** undefined: series never expire. */
  readonly expireAfterMs: number | undefined;
  /** Makes a series. */
  readonly create: (labels: readonly string[], overflow: boolean) => Series;
}

/** The series below a label's value: by the value of the next label, and series at the last label. */
type Branch = Map<string, Branch | Series>;

/**
 * The series of a metric: at most maxSeries, and one overflow series for further label sets. A hash table finds most of them
 * (label-lookup.ts), and a Map for each label finds all of them.
 */
export class SeriesTable {
  readonly #options: SeriesTableOptions;
  readonly #root: Branch = new Map();
  /** In the order of creation. */
  readonly #all = new Set<Series>();
  #places: readonly number[];
  #lookup: LabelLookup | undefined;
  #slots: SlotTable;
  #overflow: Series | undefined;
  #expiredAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: SeriesTableOptions) {
    this.#options = options;
    const { keys } = options;
    this.#places = keys.map(() => 0);
    this.#lookup = compileLookup(keys, this.#places);
    this.#slots = new SlotTable(FIRST_SLOTS, keys.length);
  }

  /** Number of series, including the overflow series. */
  get size(): number {
    return this.#all.size;
  }

  /** In the order of creation. */
  get all(): Iterable<Series> {
    return this.#all;
  }

  /**
   * @param nowMs Monotonic time; only read when series expire.
   * @returns Undefined when the labels have other keys than the metric.
   */
  seriesFor(labels: LabelValues, nowMs: number): Series | undefined {
    const { expireAfterMs } = this.#options;
    const lookup = this.#lookup;
    const slots = this.#slots;
    const found = lookup === undefined ? 0 : lookup(labels, slots.cells, slots.mask);
    const series = typeof found === "number" ? this.#find(labels, found, nowMs) : found;
    if (expireAfterMs !== undefined && series !== undefined) series.lastUsedMs = nowMs;
    return series;
  }

  /** Removes the series that have been idle for `expireAfterMs`. */
  expire(nowMs: number): void {
    const { expireAfterMs } = this.#options;
    if (expireAfterMs === undefined) return;
    this.#expiredAtMs = nowMs;
    const before = this.#all.size;
    for (const series of this.#all) {
      if (series.lastUsedMs > nowMs - expireAfterMs) continue;
      this.#all.delete(series);
      if (series.overflow) this.#overflow = undefined;
      else remove(this.#root, pathOf(series.labels), 0);
    }
    // A slot of the hash table must not count into a removed series.
    if (this.#all.size < before) this.#slots = this.#emptySlots(this.#slots.mask + 1);
  }

  /** The way without the hash table. @param slot Where the hash table may keep the series. */
  #find(labels: LabelValues, slot: number, nowMs: number): Series | undefined {
    const { keys } = this.#options;
    // The compiled lookup has compared the keys, unless a value is not text.
    if ((slot < 0 || this.#lookup === undefined) && !hasKeys(labels, keys)) return undefined;
    let found: Branch | Series | undefined = this.#root;
    for (let index = 0; index < keys.length && found !== undefined; index++)
      found = (found as Branch).get(valueOf(labels, keys[index] as string));
    // A metric without labels has its one series below the empty text.
    if (keys.length === 0) found = this.#root.get("");
    const slots = this.#slots;
    const series = (found as Series | undefined) ?? this.#create(labels, nowMs);
    // A new series may have made the table grow, in which the slot is another label set's.
    if (slot >= 0 && !series.overflow && slots === this.#slots) slots.set(slot, series);
    return series;
  }

  #create(labels: LabelValues, nowMs: number): Series {
    const { keys, create } = this.#options;
    if (this.#isFull(nowMs) || isOverflow(labels, keys)) {
      this.#overflow ??= this.#add(
        create(
          keys.map(() => OVERFLOW),
          true,
        ),
      );
      return this.#overflow;
    }
    // The cut values: two long values that begin alike are one series.
    const values = keys.map((key) => ownText(valueOf(labels, key)));
    const series = this.#add(create(values, false));
    const path = pathOf(values);
    let branch = this.#root;
    for (const value of path.slice(0, -1)) {
      const next = branch.get(value) ?? new Map<string, Branch | Series>();
      branch.set(value, next);
      branch = next as Branch;
    }
    branch.set(path[path.length - 1] as string, series);
    return series;
  }

  /** Looks for idle series first, since nobody may be scraping; not at each report, because the table is large. */
  #isFull(nowMs: number): boolean {
    const { maxSeries, expireAfterMs } = this.#options;
    const isFull = (): boolean => this.#all.size - (this.#overflow === undefined ? 0 : 1) >= maxSeries;
    if (!isFull()) return false;
    if (expireAfterMs === undefined || nowMs - this.#expiredAtMs < expireAfterMs * EXPIRY_SHARE) return true;
    this.expire(nowMs);
    return isFull();
  }

  #add(series: Series): Series {
    this.#all.add(series);
    const slots = this.#slots.mask + 1;
    if (this.#all.size * 2 > slots && slots < MAX_SLOTS) this.#grow(slots * 2);
    return series;
  }

  #grow(slots: number): void {
    const { keys } = this.#options;
    this.#slots = this.#emptySlots(slots);
    const sets = [...this.#all].map(({ labels }) => labels);
    const places = hashPlaces(keys.length, sets);
    // V8 optimizes each new function anew.
    if (places.every((place, index) => place === this.#places[index])) return;
    this.#places = places;
    this.#lookup = compileLookup(keys, places);
  }

  #emptySlots(slots: number): SlotTable {
    return new SlotTable(slots, this.#options.keys.length);
  }
}

/** A client that sends the overflow series' own values must not make its series twice. */
function isOverflow(labels: LabelValues, keys: readonly string[]): boolean {
  return keys.length > 0 && keys.every((key) => labels[key] === OVERFLOW);
}

function hasKeys(labels: LabelValues, keys: readonly string[]): boolean {
  let count = 0;
  for (const _ in labels) count++;
  return count === keys.length && keys.every((key) => key in labels);
}

function pathOf(labels: readonly string[]): readonly string[] {
  return labels.length === 0 ? [""] : labels;
}

/** Removes the series at `path`, and the branches that it leaves empty. */
function remove(branch: Branch, path: readonly string[], depth: number): void {
  const value = path[depth] as string;
  const next = branch.get(value);
  if (next instanceof Map) remove(next, path, depth + 1);
  if (!(next instanceof Map) || next.size === 0) branch.delete(value);
}

/**
 * A copy: V8 keeps the whole head of a request alive for a value that is a part of it. Keys of objects are internalized, so that
 * V8 compares them by address.
 */
function ownText(text: string): string {
  return Object.keys({ [text]: 0 })[0] as string;
}

function valueOf(labels: LabelValues, label: string): string {
  const given = labels[label];
  const value = typeof given === "string" ? given : String(given ?? "");
  return value.length <= MAX_VALUE_LENGTH ? value : `${value.slice(0, MAX_VALUE_LENGTH - 1)}…`;
}
