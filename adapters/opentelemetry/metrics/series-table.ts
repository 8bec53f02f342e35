// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Exemplars } from "./exemplars.ts";
import { type Point, pointOf, type PointForm } from "./points.ts";

/** Longer label values are cut, in characters: 10,000 series of paths chosen by an attacker must not fill the memory. */
const MAX_VALUE_LENGTH = 1024;

export interface Series {
  /** The values of the labels, in the order of the table's keys; none in the overflow series. */
  readonly values: readonly string[];
  readonly isOverflow: boolean;
  /** When its cumulative value was zero, in milliseconds since 1970. */
  startMs: number;
  /** The last record, on the monotonic clock. */
  lastMs: number;
  readonly point: Point;
  /** Absent until a sampled request is counted. */
  exemplars?: Exemplars;
}

export interface SeriesTableOptions {
  readonly keys: readonly string[];
  readonly form: PointForm;
  readonly maxSeries: number;
}

/** The series below a label's value. */
type Branch = Map<string, Branch | Series>;

/** The series of a metric, at most `maxSeries`, and an overflow series for further label sets. */
export class SeriesTable {
  readonly #options: SeriesTableOptions;
  /** One map for each label: V8 keeps the hash of a text, and would have to hash a joined key anew. */
  readonly #root: Branch = new Map();
  readonly #all = new Set<Series>();
  #overflow: Series | undefined;

  constructor(options: SeriesTableOptions) {
    this.#options = options;
  }

  /** In the order of creation, the overflow series included. */
  get all(): ReadonlySet<Series> {
    return this.#all;
  }

  /** @param startMs The start of a series that is created by this call. */
  seriesFor(labels: Readonly<Record<string, string>>, startMs: number): Series {
    const { keys } = this.#options;
    let found: Branch | Series | undefined = this.#root;
    for (let index = 0; index < keys.length && found !== undefined; index++)
      found = (found as Branch).get(valueOf(labels, keys[index] as string));
    // A metric without labels has its one series below the empty text.
    if (keys.length === 0) found = this.#root.get("");
    return (found as Series | undefined) ?? this.#create(labels, startMs);
  }

  /** Removes the series without a record since `sinceMs`, on the monotonic clock. */
  expire(sinceMs: number): void {
    for (const series of this.#all) {
      if (series.lastMs >= sinceMs) continue;
      this.#all.delete(series);
      if (series.isOverflow) this.#overflow = undefined;
      else removeAt(this.#root, pathOf(series.values), 0);
    }
  }

  #create(labels: Readonly<Record<string, string>>, startMs: number): Series {
    const { keys, form, maxSeries } = this.#options;
    const ordinary = this.#all.size - (this.#overflow === undefined ? 0 : 1);
    const isOverflow = ordinary >= maxSeries;
    if (isOverflow && this.#overflow !== undefined) return this.#overflow;
    const values = isOverflow ? [] : keys.map((key) => ownText(valueOf(labels, key)));
    const series: Series = { values, isOverflow, startMs, lastMs: 0, point: pointOf(form) };
    this.#all.add(series);
    if (isOverflow) this.#overflow = series;
    else putAt(this.#root, pathOf(values), series);
    return series;
  }
}

function pathOf(values: readonly string[]): readonly string[] {
  return values.length === 0 ? [""] : values;
}

function putAt(root: Branch, path: readonly string[], series: Series): void {
  let branch = root;
  for (const value of path.slice(0, -1)) {
    const next = (branch.get(value) as Branch | undefined) ?? new Map<string, Branch | Series>();
    branch.set(value, next);
    branch = next;
  }
  branch.set(path.at(-1) as string, series);
}

/** Removes the series at `path`, and the branches that it leaves empty. */
function removeAt(branch: Branch, path: readonly string[], depth: number): void {
  const value = path[depth] as string;
  const next = branch.get(value);
  if (next instanceof Map) removeAt(next, path, depth + 1);
  if (!(next instanceof Map) || next.size === 0) branch.delete(value);
}

/** A copy: V8 keeps the whole text alive for a value that is a part of it. */
function ownText(text: string): string {
  return `${text} `.slice(0, -1);
}

function valueOf(labels: Readonly<Record<string, string>>, key: string): string {
  const value = labels[key] ?? "";
  return value.length <= MAX_VALUE_LENGTH ? value : `${value.slice(0, MAX_VALUE_LENGTH - 1)}…`;
}
