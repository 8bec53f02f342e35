// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type TProperties, type TUnsafe } from "typebox";
import type { AttributeBag } from "../../../core/attributes/bag.ts";
import { ERROR_CATALOG, type ErrorCode } from "../../../kernel/error-catalog.ts";

/**
 * An object schema that refuses unknown fields. Requests are closed, so that a misspelt field is reported;
 * replies stay open.
 */
export function closed<P extends TProperties>(properties: P) {
  return Type.Object(properties, { additionalProperties: false });
}

/** An enumeration. */
export function oneOf<const T extends string>(words: readonly T[]): TUnsafe<T> {
  return Type.Unsafe<T>({ type: "string", enum: [...words] });
}

/** An id or a document's name in requests: at most 512 characters. */
export const Identifier = Type.String({ minLength: 1, maxLength: 512 });

export const Text = Type.String();

/** A whole number, 0 or more. */
export const Whole = Type.Integer({ minimum: 0 });

/** A number, 0 or more, not always whole, such as milliseconds. */
export const Amount = Type.Number({ minimum: 0 });

/**
 * Any object: the manifest defines the attributes, and every JSON value is allowed in a bag. A Type.Record
 * would test each key with a pattern.
 */
export const Bag = Type.Unsafe<AttributeBag>({ type: "object" });

export const Code = oneOf(Object.keys(ERROR_CATALOG).filter(isErrorCode));

function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERROR_CATALOG, text);
}
