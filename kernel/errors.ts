// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { ERROR_CATALOG, type ErrorCode } from "./error-catalog.ts";

export interface PurserErrorOptions {
  /** The underlying error. */
  readonly cause?: unknown;
  /** Whether the same call may succeed later; default: the catalog's entry for the code. */
  readonly retryable?: boolean;
  /** Facts for the log line: names, addresses, limits. Never secrets. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * An operational fault: something outside the program's control went wrong. Match on `code`, not on the
 * class: two copies of the package may be loaded in one process.
 */
export class PurserError extends Error {
  override readonly name = "PurserError";
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: PurserErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? ERROR_CATALOG[code].retryable ?? false;
    this.details = options.details ?? {};
  }

  /** The remedy, from the catalog. */
  get remedy(): string {
    return ERROR_CATALOG[this.code].remedy;
  }
}

export function isPurserError(value: unknown): value is PurserError {
  return (
    value instanceof Error &&
    value.name === "PurserError" &&
    typeof (value as { code?: unknown }).code === "string"
  );
}

/** The message of any thrown value, for a log line. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
