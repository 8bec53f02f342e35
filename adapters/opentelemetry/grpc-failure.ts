// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { PurserError } from "../../plugins/sdk/index.ts";
import { decodeStatus } from "./rpc-status.ts";

/** Statuses of gRPC that this file names (google.rpc.Code). */
const CODE = {
  CANCELLED: 1,
  DEADLINE_EXCEEDED: 4,
  RESOURCE_EXHAUSTED: 8,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
} as const;

/** The statuses that the OTLP specification calls retryable, section "Failures" of OTLP/gRPC. */
const RETRYABLE: ReadonlySet<number> = new Set([
  CODE.CANCELLED,
  CODE.DEADLINE_EXCEEDED,
  CODE.ABORTED,
  CODE.OUT_OF_RANGE,
  CODE.UNAVAILABLE,
  CODE.DATA_LOSS,
]);

/** The words with which grpc-go, grpc-java and grpc-js refuse a message above their limit. */
const TOO_LARGE = /larger than max|exceeds maximum/i;

/** The failed call, as @grpc/grpc-js reports it. */
export interface GrpcFailure {
  readonly code: number;
  readonly details: string;
  /** The value of `grpc-status-details-bin`. */
  readonly statusDetails: Uint8Array | undefined;
}

/** Longer messages of a server are cut, in characters. */
const MAX_MESSAGE_LENGTH = 200;

/** The error of a failed call. RESOURCE_EXHAUSTED is retryable only with a RetryInfo, as the specification says. */
export function grpcFault({ code, details, statusDetails }: GrpcFailure): PurserError {
  const excerpt = details.length > MAX_MESSAGE_LENGTH ? `${details.slice(0, MAX_MESSAGE_LENGTH)}…` : details;
  const message = `the server answered gRPC status ${code}${excerpt === "" ? "" : `: ${excerpt}`}`;
  const retryAfterMs = statusDetails === undefined ? undefined : decodeStatus(statusDetails)?.retryDelayMs;
  const isExhausted = code === CODE.RESOURCE_EXHAUSTED;
  if (isExhausted && retryAfterMs === undefined && TOO_LARGE.test(details.slice(0, 1000)))
    return new PurserError("PURSER_REQUEST_TOO_LARGE", message, { details: { grpcStatus: code } });
  const retryable = RETRYABLE.has(code) || (isExhausted && retryAfterMs !== undefined);
  return new PurserError("PURSER_HANDLER_FAILED", message, {
    retryable,
    details: { grpcStatus: code, ...(retryable && retryAfterMs !== undefined ? { retryAfterMs } : {}) },
  });
}
