// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Labels of a workload or an endpoint, by name. */
export type Labels = Readonly<Record<string, string>>;

/** Whether `labels` has every label of `selector` with its value. The empty selector selects everything. */
export function selects(selector: Labels, labels: Labels): boolean {
  return Object.entries(selector).every(
    ([name, value]) => Object.hasOwn(labels, name) && labels[name] === value,
  );
}
