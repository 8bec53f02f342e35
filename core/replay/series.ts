// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { MetricInstance } from "../templates/instances.ts";

/** The series that one metric would have for the recorded requests. */
export interface SeriesFinding {
  readonly metric: string;
  /** Number of distinct label sets. */
  readonly series: number;
  /** Series that the baseline does not have; absent without a baseline. */
  readonly added?: number;
  /** Series that only the baseline has; absent without a baseline. */
  readonly removed?: number;
  /** Whether there were more series than the bound, so that the numbers are lower bounds. */
  readonly more: boolean;
  /** Number of values of each label, most first. */
  readonly labels: readonly LabelFinding[];
}

interface LabelFinding {
  readonly label: string;
  readonly values: number;
  /** Whether some values were redacted in the log, so that the label really has more. */
  readonly redacted: boolean;
}

/** Bounds on the label sets of each metric, and on the values of each label. */
const MAX_SERIES = 100_000;
const MAX_VALUES = 10_000;
/** The number of metrics and labels is bounded by the documents: a Rule cannot compute names. */
const REDACTED = "[redacted]";

interface Family {
  readonly sets: Set<string>;
  readonly labels: Map<string, Set<string>>;
  more: boolean;
}

export class SeriesTable {
  readonly #families = new Map<string, Family>();

  add({ name, labels }: MetricInstance): void {
    const family = this.#families.get(name) ?? { sets: new Set(), labels: new Map(), more: false };
    this.#families.set(name, family);
    const entries = Object.entries(labels);
    const set = JSON.stringify(entries);
    if (family.sets.has(set)) return;
    if (family.sets.size >= MAX_SERIES) {
      family.more = true;
      return;
    }
    family.sets.add(set);
    for (const [label, value] of entries) {
      const values = family.labels.get(label) ?? new Set();
      family.labels.set(label, values);
      if (values.size < MAX_VALUES) values.add(value);
    }
  }

  findings(baseline: SeriesTable | undefined): readonly SeriesFinding[] {
    const familiesBefore = baseline === undefined ? undefined : baseline.#families;
    return [...this.#families]
      .map(([metric, { sets, labels, more }]) => ({
        metric,
        series: sets.size,
        ...(familiesBefore === undefined ? {} : differences(sets, familiesBefore.get(metric)?.sets)),
        more: more || familiesBefore?.get(metric)?.more === true,
        labels: [...labels]
          .map(([label, values]) => ({ label, values: values.size, redacted: values.has(REDACTED) }))
          .toSorted((a, b) => b.values - a.values),
      }))
      .toSorted((a, b) => b.series - a.series);
  }
}

function differences(
  sets: ReadonlySet<string>,
  before: ReadonlySet<string> = new Set(),
): { readonly added: number; readonly removed: number } {
  let common = 0;
  for (const set of sets) if (before.has(set)) common++;
  return { added: sets.size - common, removed: before.size - common };
}
