// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { ExpressionError } from "../errors/expression-error.ts";

/**
 * The error codes of functions that JSONata does not have. JSONata's own codes begin with D1 to D3, S, T and
 * U.
 */
export const FUNCTION_ERRORS = {
  D4001: "an address or CIDR block is malformed",
  D4002: "a glob is malformed or too long",
  D4003: "a path template is malformed or too long",
  D4004: "a time zone is not one of the IANA database",
  D4005: "a time of day is malformed, or two that must differ are equal",
  D4006: "a range of semantic versions is malformed or too long",
  D4007: "a number of buckets is not an integer from 1 to 4294967296",
  D4008: "a JSON text is too long or nested too deeply",
  D4009: "a prefix length is not an integer from 0 to the address's number of bits",
} as const;

export function functionError(code: keyof typeof FUNCTION_ERRORS, message: string): ExpressionError {
  return new ExpressionError(code, message);
}

/** A text for a message, in quotes and at most 80 characters long. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
