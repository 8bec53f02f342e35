// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type Clock, httpFailure, type HttpResponse, PurserError } from "../../plugins/sdk/index.ts";
import { decodeStatus } from "./rpc-status.ts";

/** The statuses that the OTLP specification calls retryable, section "Retryable Response Codes". */
const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** The error of a response that is not 2xx; undefined for a 2xx. 413 makes the host send the batch in halves. */
export function httpFault(response: HttpResponse, clock: Clock): PurserError | undefined {
  const failure = httpFailure(response, clock);
  if (failure === undefined || failure.code === "PURSER_REQUEST_TOO_LARGE") return failure;
  const message = `${failure.message}${messageIn(response)}`;
  const retryable = RETRYABLE.has(response.status);
  const { retryAfterMs: _, ...rest } = failure.details;
  return new PurserError(failure.code, message, { retryable, details: retryable ? failure.details : rest });
}

/** The message of a google.rpc.Status, which a receiver answers with; empty when the body is none. */
function messageIn({ headers, body }: HttpResponse): string {
  if (headers["content-type"]?.startsWith("application/x-protobuf") !== true) return "";
  const message = decodeStatus(body)?.message ?? "";
  return message === "" ? "" : `: ${message}`;
}
