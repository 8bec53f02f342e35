// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** The texts of a property: text itself, numbers and booleans as text, each item of a list; none of any other value. */
export function textsOf(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return scalarTexts(value);
  return value.flatMap(scalarTexts);
}

function scalarTexts(value: unknown): readonly string[] {
  switch (typeof value) {
    case "string":
      return [value];
    case "number":
    case "boolean":
    case "bigint":
      return [String(value)];
    default:
      return [];
  }
}

/**
 * The groups of an instance. Its field is text: a list of groups is written as JSON there, and any other text is the name of
 * one group.
 */
export function groupsOf(groups: string | undefined): readonly string[] {
  if (groups === undefined) return [];
  if (!groups.startsWith("[")) return [groups];
  try {
    return textsOf(JSON.parse(groups));
  } catch {
    return [groups];
  }
}
