// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Names in Prometheus' text form (prometheus.io/docs/concepts/data_model): every other character becomes `_`.
 */

/** `mesh/requests.total` → `mesh_requests_total`. */
export function metricName(prefix: string, name: string): string {
  const clean = `${prefix}${name}`.replace(/[^a-zA-Z0-9_:]/g, "_");
  return /^[a-zA-Z_:]/.test(clean) ? clean : `_${clean}`;
}

/**
 * Distinct label names in the order of `labels`. Prometheus reserves names that begin with `__`, and `le` in
 * a histogram: such labels get the prefix `exported_`, as Prometheus itself does.
 */
export function labelNames(labels: readonly string[], reserved: ReadonlySet<string>): readonly string[] {
  const taken = new Set<string>();
  return labels.map((label) => {
    let clean = label.replace(/[^a-zA-Z0-9_]/g, "_");
    if (!/^[a-zA-Z_]/.test(clean)) clean = `_${clean}`;
    if (clean.startsWith("__") || reserved.has(clean)) clean = `exported_${clean}`;
    const free = firstFree(clean, taken);
    taken.add(free);
    return free;
  });
}

/** `name`, or `name_2`, `name_3` … when it is taken. */
export function firstFree(name: string, taken: { has(name: string): boolean }): string {
  if (!taken.has(name)) return name;
  let suffix = 2;
  while (taken.has(`${name}_${suffix}`)) suffix++;
  return `${name}_${suffix}`;
}
