// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Clock } from "../../plugins/sdk/index.ts";

type LabelValues = Readonly<Record<string, string>>;

/** Value of every label of the overflow series. */
const OVERFLOW = "_overflow";

/** Longer values are cut: 2000 series of paths chosen by an attacker must not fill the memory. */
const MAX_VALUE_LENGTH = 1024;

export interface SeriesTableOptions {
  /** Labels as instances name them, in order. */
  readonly keys: readonly string[];
  /** The same labels as Prometheus names them. */
  readonly names: readonly string[];
  readonly maxSeries: number;
  readonly expireAfterMs: number | undefined;
  readonly clock: Clock;
  /** Called with the labels of each expired series. */
  forget(labels: LabelValues): void;
}

/** The series of a metric: at most maxSeries, and one overflow series for further label sets. */
export interface SeriesTable {
  /** Number of series, including the overflow series. */
  readonly size: number;
  seriesFor(labels: LabelValues): Series;
  expire(): void;
}

interface Series {
  readonly labels: LabelValues;
  readonly overflow: boolean;
  lastUsedMs: number;
}

export function createSeriesTable(options: SeriesTableOptions): SeriesTable {
  const { keys, names, maxSeries, expireAfterMs, clock } = options;
  const series = new Map<string, Series>();
  let overflow: Series | undefined;

  const create = (value: (key: string) => string, isOverflow: boolean): Series => ({
    labels: Object.fromEntries(names.map((name, index) => [name, value(keys[index] as string)])),
    overflow: isOverflow,
    lastUsedMs: 0,
  });

  const find = (labels: LabelValues): Series => {
    const key = seriesKey(keys, labels);
    const existing = series.get(key);
    if (existing !== undefined) return existing;
    if (series.size >= maxSeries) {
      overflow ??= create(() => OVERFLOW, true);
      return overflow;
    }
    const created = create((label) => valueOf(labels, label), false);
    series.set(key, created);
    return created;
  };

  return {
    get size() {
      return series.size + (overflow === undefined ? 0 : 1);
    },
    seriesFor(labels) {
      const found = find(labels);
      if (expireAfterMs !== undefined) found.lastUsedMs = clock.monotonicMs();
      return found;
    },
    expire() {
      if (expireAfterMs === undefined) return;
      const idleSinceMs = clock.monotonicMs() - expireAfterMs;
      for (const [key, candidate] of series) {
        if (candidate.lastUsedMs > idleSinceMs) continue;
        series.delete(key);
        options.forget(candidate.labels);
      }
      if (overflow !== undefined && overflow.lastUsedMs <= idleSinceMs) {
        options.forget(overflow.labels);
        overflow = undefined;
      }
    },
  };
}

/** All values as one key; length prefixes keep `a`+`bc` and `ab`+`c` apart. */
function seriesKey(keys: readonly string[], labels: LabelValues): string {
  let key = "";
  for (const label of keys) {
    const value = valueOf(labels, label);
    key += `${value.length}:${value}`;
  }
  return key;
}

function valueOf(labels: LabelValues, label: string): string {
  const value = String(labels[label] ?? "");
  return value.length <= MAX_VALUE_LENGTH ? value : `${value.slice(0, MAX_VALUE_LENGTH - 1)}…`;
}
