// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type TProperties, type TUnsafe } from "typebox";

/** An object without other fields. Requests are closed, so that a misspelt field is told; replies stay open. */
export function closed<P extends TProperties>(properties: P) {
  return Type.Object(properties, { additionalProperties: false });
}

/** One of these words. */
export function oneOf<const T extends string>(words: readonly T[]): TUnsafe<T> {
  return Type.Unsafe<T>({ type: "string", enum: [...words] });
}

export const Text = Type.String();

/** A whole number from 0 on. */
export const Whole = Type.Integer({ minimum: 0 });

/** A number from 0 on, not always whole: milliseconds, for instance. */
export const Amount = Type.Number({ minimum: 0 });
