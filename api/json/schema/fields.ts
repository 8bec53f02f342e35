// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type TProperties, type TUnsafe } from "typebox";
import type { AttributeBag } from "../../../core/attributes/bag.ts";
import { ERROR_CATALOG, type ErrorCode } from "../../../kernel/error-catalog.ts";

/** An object without other fields. Requests are closed, so that a misspelt field is told; replies stay open. */
export function closed<P extends TProperties>(properties: P) {
  return Type.Object(properties, { additionalProperties: false });
}

/** One of these words. */
export function oneOf<const T extends string>(words: readonly T[]): TUnsafe<T> {
  return Type.Unsafe<T>({ type: "string", enum: [...words] });
}

/** An id, or the name of a document, as requests carry it: 512 characters at most. */
export const Identifier = Type.String({ minLength: 1, maxLength: 512 });

export const Text = Type.String();

/** A whole number from 0 on. */
export const Whole = Type.Integer({ minimum: 0 });

/** A number from 0 on, not always whole: milliseconds, for instance. */
export const Amount = Type.Number({ minimum: 0 });

/**
 * Any object: the manifest says which attributes there are, and JSON holds nothing that a bag may not. A Type.Record would
 * test each key with a pattern.
 */
export const Bag = Type.Unsafe<AttributeBag>({ type: "object" });

export const Code = oneOf(Object.keys(ERROR_CATALOG).filter(isErrorCode));

function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERROR_CATALOG, text);
}
