// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type from "typebox";
import type { PurserError } from "../../kernel/errors.ts";
import { invalidRequest } from "./faults.ts";
import type { QueryParameter } from "./operations/operation.ts";

/** The parameter `waitMs` of a long poll. */
export const WAIT_MS: QueryParameter = {
  schema: Type.Integer({ minimum: 0, maximum: 999_999_999, default: 0 }),
  description: "How long the server may hold the request, in milliseconds; 30,000 at most.",
};

/** Decoded query parameters; a list for a repeated parameter. */
export type QueryParameters = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Maximum time that a server holds a long poll, in milliseconds; longer waits are shortened to it. */
export const MAX_POLL_WAIT_MS = 30_000;

/**
 * How long a server may hold a long poll, in milliseconds: the parameter `waitMs`, default 0.
 *
 * @throws {PurserError} PURSER_REQUEST_INVALID.
 */
export function waitMsOf({ waitMs = "0" }: QueryParameters): number {
  return Math.min(wholeNumber("waitMs", waitMs), MAX_POLL_WAIT_MS);
}

/** @throws {PurserError} PURSER_REQUEST_INVALID, naming the parameter. */
export function wholeNumber(name: string, text: string | readonly string[]): number {
  if (typeof text === "string" && /^[0-9]{1,9}$/.test(text)) return Number(text);
  throw invalidRequest(`the query parameter ${name} is not a whole number`);
}

export function givenTwice(name: string): PurserError {
  return invalidRequest(`the query parameter ${name} is given twice`);
}

export function unknownParameter(name: string): PurserError {
  return invalidRequest(`there is no query parameter ${JSON.stringify(name)}`);
}
