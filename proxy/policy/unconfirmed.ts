// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { isPurserError, PurserError } from "../../kernel/errors.ts";

// An unconfirmed call: its answer was lost or late, so that the server may have carried it out. Only the same
// server can tell, by the call's id.

/** The same error, marked as unconfirmed. Retryable with the same id, at the same server. */
export function unconfirmed(error: PurserError): PurserError {
  const { code, message, details } = error;
  return new PurserError(code, message, {
    cause: error,
    retryable: true,
    details: { ...details, unconfirmed: true },
  });
}

export function isUnconfirmed(error: unknown): boolean {
  return isPurserError(error) && error.details["unconfirmed"] === true;
}
