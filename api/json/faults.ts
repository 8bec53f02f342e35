// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { PurserError } from "../../kernel/errors.ts";

/** Error of a malformed request, which the client must change. */
export function invalidRequest(fault: string, cause?: unknown): PurserError {
  return new PurserError("PURSER_REQUEST_INVALID", fault, { cause });
}

/** Error of a malformed reply from a mixer; retryable, because another mixer may answer correctly. */
export function invalidReply(call: string, fault: string): PurserError {
  return new PurserError(
    "PURSER_MIXER_UNAVAILABLE",
    `the mixer's answer to ${call} is not of the documented form: ${fault}`,
  );
}
