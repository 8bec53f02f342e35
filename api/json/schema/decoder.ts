// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { TUnsafe } from "typebox";
import { Compile, type Validator } from "typebox/compile";
import type { PurserError } from "../../../kernel/errors.ts";
import { firstFault } from "./first-fault.ts";

/**
 * A function that takes parsed JSON and returns it as a message of type T. Anything else makes it throw the error that
 * `refuse` makes of the first fault and its place. The schema is compiled at the first message, because no process receives
 * every message.
 *
 * @param at The place of the value, where it is a part of a message: `explanation`. Default: it is a whole body.
 */
export function createDecoder<T>(
  schema: TUnsafe<T>,
  refuse: (fault: string) => PurserError,
  at = "",
): (body: unknown) => T {
  let validator: Validator | undefined;
  const fits = (body: unknown): body is T => {
    validator ??= Compile(schema);
    return validator.Check(body);
  };
  return (body) => {
    if (fits(body)) return body;
    throw refuse(firstFault(schema, body, at) ?? "the body is not of the documented form");
  };
}
