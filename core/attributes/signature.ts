// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type AttributeBag, type AttributeValue, valueAt } from "./bag.ts";
import type { AttributeReference } from "./reference.ts";
import { isReadAt, repeatedFields } from "./repeated.ts";

/**
 * The values at `references` in `bag` as one text, or undefined when the bag does not fit them: an ABSENCE that is
 * there, an EXACT that is not, a PRESENCE that is no object. For one list of references, two bags have the same text
 * if and only if they agree in all of them: it is the values themselves, never a hash, so a cache that keys by it
 * cannot mistake one request for another. Texts of different lists must not be compared.
 */
export function signatureOf(
  bag: AttributeBag,
  references: readonly AttributeReference[],
): string | undefined {
  let text = "";
  const repeated = repeatedFields(bag);
  for (const reference of references) {
    const { path, condition } = reference;
    const value = valueAt(bag, path);
    if (condition === "EXACT") {
      if (value === undefined) return undefined;
      text += `${canonicalText(value)},`;
      // Fields that came apart are not the same as one field with the text of all of them.
      for (const field of repeated)
        if (isReadAt(reference, field))
          text += `${JSON.stringify(field.name)}:${canonicalText(field.values)},`;
    } else if (condition === "ABSENCE" ? value !== undefined : !isObject(value)) {
      return undefined;
    }
  }
  return text;
}

/**
 * JSON with the keys of objects in order and absent properties left out: two values have the same text if and only if
 * they are equal, the order of keys aside. Numbers that JSON lacks keep their names.
 */
export function canonicalText(value: AttributeValue | undefined): string {
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

function isObject(value: AttributeValue | undefined): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Array.isArray does not narrow readonly arrays. */
function isArray(value: AttributeValue): value is readonly AttributeValue[] {
  return Array.isArray(value);
}
