// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Clock } from "../../plugins/sdk/index.ts";

export type LabelValues = Readonly<Record<string, string>>;

/** Value of every label of the overflow series. */
const OVERFLOW = "_overflow";

/** Longer values are cut: 2000 series of paths chosen by an attacker must not fill the memory. */
const MAX_VALUE_LENGTH = 1024;

export interface SeriesTableOptions {
  /** Labels as instances name them, in order. */
  readonly keys: readonly string[];
  readonly maxSeries: number;
  readonly expireAfterMs: number | undefined;
  readonly clock: Clock;
  /** Number of buckets of a histogram, with the last one for `+Inf`; 0 for other metrics. */
  readonly buckets: number;
}

/** One series of a metric, with its numbers. */
export class Series {
  /** The values of the labels, in order. */
  readonly labels: readonly string[];
  readonly overflow: boolean;
  lastUsedMs = 0;
  /** Total of a counter or histogram; last value of a gauge. */
  value = 0;
  /** Observations in each bucket of a histogram, without those in smaller buckets. */
  readonly counts: number[];

  constructor(labels: readonly string[], buckets: number, overflow: boolean) {
    this.labels = labels;
    this.overflow = overflow;
    this.counts = Array.from({ length: buckets }, () => 0);
  }
}

/** The series below a label's value: by the value of the next label, and series at the last label. */
type Branch = Map<string, Branch | Series>;

/**
 * The series of a metric: at most maxSeries, and one overflow series for further label sets. They are found
 * by one map for each label, which takes a ninth of the time of one map by a key of all values: 75 instead of
 * 675 ns for three labels, since V8 keeps the hash of a text and must make that of a new key.
 */
export class SeriesTable {
  readonly #options: SeriesTableOptions;
  readonly #root: Branch = new Map();
  /** In the order of creation. */
  readonly #all = new Set<Series>();
  #overflow: Series | undefined;

  constructor(options: SeriesTableOptions) {
    this.#options = options;
  }

  /** Number of series, including the overflow series. */
  get size(): number {
    return this.#all.size;
  }

  /** In the order of creation. */
  get all(): Iterable<Series> {
    return this.#all;
  }

  seriesFor(labels: LabelValues): Series {
    const { keys, expireAfterMs, clock } = this.#options;
    let found: Branch | Series | undefined = this.#root;
    for (let index = 0; index < keys.length && found !== undefined; index++)
      found = (found as Branch).get(valueOf(labels, keys[index] as string));
    // A metric without labels has its one series below the empty text.
    if (keys.length === 0) found = this.#root.get("");
    const series = (found as Series | undefined) ?? this.#create(labels);
    if (expireAfterMs !== undefined) series.lastUsedMs = clock.monotonicMs();
    return series;
  }

  /** Removes the series that have been idle for `expireAfterMs`. */
  expire(): void {
    const { expireAfterMs, clock } = this.#options;
    if (expireAfterMs === undefined) return;
    const idleSinceMs = clock.monotonicMs() - expireAfterMs;
    for (const series of this.#all) {
      if (series.lastUsedMs > idleSinceMs) continue;
      this.#all.delete(series);
      if (series.overflow) this.#overflow = undefined;
      else remove(this.#root, pathOf(series.labels), 0);
    }
  }

  #create(labels: LabelValues): Series {
    const { keys, maxSeries, buckets } = this.#options;
    const others = this.#all.size - (this.#overflow === undefined ? 0 : 1);
    if (others >= maxSeries) {
      this.#overflow ??= this.#add(
        new Series(
          keys.map(() => OVERFLOW),
          buckets,
          true,
        ),
      );
      return this.#overflow;
    }
    const values = keys.map((key) => ownText(valueOf(labels, key)));
    const series = this.#add(new Series(values, buckets, false));
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

  #add(series: Series): Series {
    this.#all.add(series);
    return series;
  }
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

/** A copy: V8 keeps the whole head of a request alive for a value that is a part of it. */
function ownText(text: string): string {
  return `${text} `.slice(0, -1);
}

function valueOf(labels: LabelValues, label: string): string {
  const given = labels[label];
  const value = typeof given === "string" ? given : String(given ?? "");
  return value.length <= MAX_VALUE_LENGTH ? value : `${value.slice(0, MAX_VALUE_LENGTH - 1)}…`;
}
