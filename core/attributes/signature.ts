// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { canonicalText } from "../../expressions/data.ts";
import { type AttributeBag, type AttributePath, type AttributeValue, valueAt } from "./bag.ts";
import type { AttributeReference } from "../../expressions/runtime/reads/reference.ts";
import { isReadAt, repeatedFields } from "./repeated.ts";

/**
 * The values at `references` in `bag` as one text; undefined when the bag does not match the references (an
 * ABSENCE that is present, an EXACT that is absent, a PRESENCE that is not an object). For the same list of
 * references, two bags have equal texts if and only if all these values are equal. The text contains the
 * values themselves, not a hash, so a cache keyed by it never confuses two requests. Texts of different lists
 * must not be compared.
 */
export function signatureOf(
  bag: AttributeBag,
  references: readonly AttributeReference[],
): string | undefined {
  let text = "";
  const repeated = repeatedFields(bag);
  for (const reference of references) {
    const { path, condition } = reference;
    if (condition === "ABSENCE") {
      if (!isAbsent(bag, path)) return undefined;
      continue;
    }
    const value = valueAt(bag, path);
    if (condition === "EXACT") {
      if (value === undefined) return undefined;
      text += `${canonicalText(value)},`;
      // Repeated fields differ from a single field with the joined text.
      for (const field of repeated)
        if (isReadAt(reference, field))
          text += `${JSON.stringify(field.name)}:${canonicalText(field.values)},`;
    } else if (!isObject(value)) {
      return undefined;
    }
  }
  return text;
}

/**
 * Whether a path gives nothing in `bag`, whatever expression follows it. A path that meets an array goes on in each of its
 * items, so it is never taken for absent there.
 */
function isAbsent(bag: AttributeBag, path: AttributePath): boolean {
  let value: AttributeValue | undefined = bag;
  for (const step of path) {
    if (Array.isArray(value)) return false;
    if (!isObject(value) || !Object.hasOwn(value as object, step)) return true;
    value = (value as AttributeBag)[step];
  }
  return value === undefined;
}

function isObject(value: AttributeValue | undefined): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
