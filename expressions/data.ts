// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Data as JSON has it, which expressions read; an absent property is undefined or not there. */
export type Data = string | number | boolean | null | readonly Data[] | DataObject;

export type DataObject = { readonly [key: string]: Data | undefined };

/** The way to a value in an object: `["request", "headers", "x-user"]`. */
export type DataPath = readonly string[];

/**
 * JSON with the keys of objects in order and absent properties left out: two values have the same text if and only if
 * they are equal, the order of keys aside. Numbers that JSON lacks keep their names.
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

/** Array.isArray does not narrow readonly arrays. */
function isArray(value: Data): value is readonly Data[] {
  return Array.isArray(value);
}
