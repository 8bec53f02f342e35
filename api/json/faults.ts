// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { PurserError } from "../../kernel/errors.ts";

/** The error of a request that is not of the documented form; the client must change it. */
export function invalidRequest(fault: string, cause?: unknown): PurserError {
  return new PurserError("PURSER_REQUEST_INVALID", fault, { cause });
}

/** The error of a mixer's reply that is not of the documented form: another mixer may do better. */
export function invalidReply(call: string, fault: string): PurserError {
  return new PurserError(
    "PURSER_MIXER_UNAVAILABLE",
    `the mixer's answer to ${call} is not of the documented form: ${fault}`,
  );
}
