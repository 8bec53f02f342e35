// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { canonicalText } from "../../expressions/data.ts";
import { type AttributeBag, type AttributeValue, valueAt } from "./bag.ts";
import type { AttributeReference } from "../../expressions/runtime/reads/reference.ts";
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

function isObject(value: AttributeValue | undefined): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
