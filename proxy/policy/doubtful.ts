// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { isPurserError, PurserError } from "../../kernel/errors.ts";

// A call whose answer is lost or late may have been carried out. Only the same server can tell, by the call's id.

/** The same error, which says that the server may have carried out the call. Retryable, with the same id. */
export function doubtful(error: PurserError): PurserError {
  const { code, message, details } = error;
  return new PurserError(code, message, {
    cause: error,
    retryable: true,
    details: { ...details, doubtful: true },
  });
}

export function isDoubtful(error: unknown): boolean {
  return isPurserError(error) && error.details["doubtful"] === true;
}
