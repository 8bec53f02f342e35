// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** A value of a document's spec that differs. */
export interface FieldChange {
  /** Names and indexes from the spec on: `overrides[0].limit`. Empty for the spec itself. */
  readonly field: string;
  /** Undefined where the field was not written. */
  readonly before: unknown;
  readonly after: unknown;
}

/**
 * The parts of two specs that differ, each as deep as one of the sides is no map and no list of the same length. Specs are
 * data of JSON; the order of a map's fields means nothing.
 */
export function fieldChanges(before: unknown, after: unknown, field = ""): readonly FieldChange[] {
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length)
    return before.flatMap((item, index) => fieldChanges(item, after[index], `${field}[${index}]`));
  if (isMap(before) && isMap(after)) {
    const names = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...names].flatMap((name) =>
      fieldChanges(valueOf(before, name), valueOf(after, name), field === "" ? name : `${field}.${name}`),
    );
  }
  return isSame(before, after) ? [] : [{ field, before, after }];
}

function isSame(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, index) => isSame(item, b[index]));
  // Maps were compared field by field; two lists or a list and a map of unlike shape differ.
  return isMap(a) && isMap(b) ? fieldChanges(a, b).length === 0 : Object.is(a, b);
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function valueOf(map: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(map, name) ? map[name] : undefined;
}
