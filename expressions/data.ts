// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** JSON data, which expressions read; an absent property is undefined or missing. */
export type Data = string | number | boolean | null | readonly Data[] | DataObject;

export type DataObject = { readonly [key: string]: Data | undefined };

/** The names from an object to a value in it: `["request", "headers", "x-user"]`. */
export type DataPath = readonly string[];

/**
 * Canonical JSON, with sorted keys and without absent properties: two values have the same text if and only
 * if they are equal in any order of keys. NaN and Infinity are written by name.
 */
export function canonicalText(value: Data | undefined): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value !== "object" || value === null) return String(value);
  if (isArray(value)) return `[${value.map(canonicalText).join()}]`;
  let text = "";
  for (const key of Object.keys(value).sort()) {
    const member = value[key];
    if (member !== undefined)
      text += `${text === "" ? "" : ","}${JSON.stringify(key)}:${canonicalText(member)}`;
  }
  return `{${text}}`;
}

/** A type guard, because Array.isArray does not narrow readonly arrays. */
function isArray(value: Data): value is readonly Data[] {
  return Array.isArray(value);
}
