// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { MetricInstance } from "../templates/instances.ts";

/** What one metric would make of the recorded requests. */
export interface SeriesFinding {
  readonly metric: string;
  /** Distinct label sets. */
  readonly series: number;
  /** Those that the baseline did not make; absent without a baseline. */
  readonly added?: number;
  /** Those of the baseline that are made no more; absent without a baseline. */
  readonly removed?: number;
  /** Whether there were more than could be kept: the numbers are lower bounds. */
  readonly more: boolean;
  /** How many values each label has, most first. */
  readonly labels: readonly LabelFinding[];
}

interface LabelFinding {
  readonly label: string;
  readonly values: number;
  /** Whether some of its values were redacted in the log: in truth it has more. */
  readonly redacted: boolean;
}

/** Label sets kept for each metric, and values for each label. */
const MAX_SERIES = 100_000;
const MAX_VALUES = 10_000;
/** Metrics and labels come from documents; a Rule may compute none of their names. */
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
