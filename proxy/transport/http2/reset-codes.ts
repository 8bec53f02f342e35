// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ResetCause } from "../contract/reset.ts";
import { CODE } from "./constants.ts";

/**
 * The error codes (RFC 9113, section 7) that mean the same on both sides of a proxy. gRPC clients make a status of each:
 * CANCELLED of CANCEL, RESOURCE_EXHAUSTED of ENHANCE_YOUR_CALM. The other codes speak of the frames of one connection, except
 * for REFUSED_STREAM: it promises that the request was not processed, which a response that has begun contradicts.
 */
const CODES = {
  cancelled: CODE.cancel,
  "excessive-load": CODE.enhanceYourCalm,
  "tunnel-broken": CODE.connectError,
} as const satisfies Readonly<Record<ResetCause, number>>;

/** The cause that a peer's code tells of. */
export function causeOfCode(code: number): ResetCause | undefined {
  switch (code) {
    case CODE.cancel:
      return "cancelled";
    case CODE.enhanceYourCalm:
      return "excessive-load";
    case CODE.connectError:
      return "tunnel-broken";
    default:
      return undefined;
  }
}

/** The code for a response that breaks off. */
export function codeOfCause(cause: ResetCause | undefined): number {
  return cause === undefined ? CODE.internalError : CODES[cause];
}
