// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Names in the form of Cloud Monitoring (google/api/metric.proto, google/api/label.proto). */

/** Maximum length of a metric's type, in characters. */
const MAX_TYPE_LENGTH = 200;

/** Maximum length of a label's key, in characters (cloud.google.com/monitoring/quotas). */
const MAX_KEY_LENGTH = 100;

/** A metric's type: other characters than letters, digits, `_`, `.` and `/` become `_`. */
export function metricTypeOf(prefix: string, name: string): string {
  const rest = name.replaceAll(/[^A-Za-z0-9_./]/gu, "_");
  return `${prefix}${rest === "" ? "_" : rest}`.slice(0, MAX_TYPE_LENGTH);
}

/** Keys for labels, in order: letters, digits and `_`, a letter first, and no two the same. */
export function labelKeysOf(labels: readonly string[], taken: Iterable<string>): readonly string[] {
  const used = new Set(taken);
  return labels.map((label) => {
    const plain = label.replaceAll(/[^A-Za-z0-9_]/gu, "_");
    const key = firstFree(/^[A-Za-z]/.test(plain) ? plain : `label_${plain}`, MAX_KEY_LENGTH, used);
    used.add(key);
    return key;
  });
}

/** The name itself, or with `_2`, `_3` … at its end, within `max` characters. */
export function firstFree(
  name: string,
  max: number,
  used: { readonly has: (name: string) => boolean },
): string {
  const cut = name.slice(0, max);
  if (!used.has(cut)) return cut;
  for (let number = 2; ; number++) {
    const end = `_${number}`;
    const free = `${name.slice(0, max - end.length)}${end}`;
    if (!used.has(free)) return free;
  }
}

/** A unit in UCUM, which Cloud Monitoring uses; undefined for text that is no unit. */
export function unitOf(unit: string | undefined): string | undefined {
  if (unit === undefined) return undefined;
  const known = UNITS.get(unit.toLowerCase());
  if (known !== undefined) return known;
  return /^[A-Za-z0-9%./^{}[\]*-]{1,63}$/.test(unit) ? unit : undefined;
}

const UNITS: ReadonlyMap<string, string> = new Map([
  ["bytes", "By"],
  ["byte", "By"],
  ["kibibytes", "KiBy"],
  ["mebibytes", "MiBy"],
  ["milliseconds", "ms"],
  ["microseconds", "us"],
  ["nanoseconds", "ns"],
  ["seconds", "s"],
  ["minutes", "min"],
  ["hours", "h"],
  ["percent", "%"],
  ["count", "1"],
  ["requests", "1"],
]);
