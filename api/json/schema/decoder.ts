// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { TUnsafe } from "typebox";
import { Compile, type Validator } from "typebox/schema";
import type { PurserError } from "../../../kernel/errors.ts";
import { firstFault } from "./first-fault.ts";

/** Checks parsed JSON and returns it as a message of type T. */
export interface Decoder<T> {
  (body: unknown): T;
  /** The schema of the messages, for the description of the call. */
  readonly schema: TUnsafe<T>;
}

/**
 * Returns a function that checks parsed JSON and returns it as a message of type T. For other values it
 * throws the error that `refuse` makes from the first fault and its path. The schema is compiled at the first
 * message, because no process receives every message.
 *
 * @param at Path of the value when it is a part of a message: `explanation`. Default: a whole body.
 */
export function createDecoder<T>(
  schema: TUnsafe<T>,
  refuse: (fault: string) => PurserError,
  at = "",
): Decoder<T> {
  let validator: Validator | undefined;
  const fits = (body: unknown): body is T => {
    validator ??= Compile(schema);
    return validator.Check(body);
  };
  const decode = (body: unknown): T => {
    if (fits(body)) return body;
    throw refuse(firstFault(schema, body, at) ?? "the body is not of the documented form");
  };
  return Object.assign(decode, { schema });
}
