// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { TSchema } from "typebox";
import Value from "typebox/value";
import type { DocumentPath } from "../yaml/places.ts";
import { entrySchema, type SchemaView, viewOf } from "./form.ts";

/** A text in a document whose schema has a mark. */
export interface MarkedText {
  readonly schema: SchemaView;
  readonly text: string;
  readonly path: DocumentPath;
}

/**
 * Walks a schema along a value, and yields every text whose schema has `keyword`, so that expressions and
 * references are found in all kinds. Invalid parts are skipped.
 */
export function* markedTexts(
  keyword: string,
  schema: TSchema,
  value: unknown,
  path: DocumentPath,
): Generator<MarkedText> {
  const view = viewOf(schema);
  if (view.anyOf !== undefined) {
    const chosen = view.anyOf.find((alternative) => Value.Check(alternative, value) as boolean);
    if (chosen !== undefined) yield* markedTexts(keyword, chosen, value, path);
  } else if (typeof value === "string") {
    if (Object.hasOwn(schema, keyword) && Value.Check(schema, value))
      yield { schema: view, text: value, path };
  } else if (Array.isArray(value)) {
    if (view.items === undefined) return;
    for (const [index, item] of value.entries())
      yield* markedTexts(keyword, view.items, item, [...path, index]);
  } else if (typeof value === "object" && value !== null) {
    for (const [key, entry] of Object.entries(value)) {
      const expected = entrySchema(schema, key);
      if (expected !== undefined) yield* markedTexts(keyword, expected, entry, [...path, key]);
    }
  }
}
