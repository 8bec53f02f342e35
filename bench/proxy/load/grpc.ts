// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Workload } from "./workloads.ts";

/** Length of the message of each call and each answer, in bytes; below 128, so that its frame is plain ASCII. */
const MESSAGE_BYTES = 100;
/** Length of the flag and the message's length before each message, in bytes (gRPC over HTTP/2, Length-Prefixed-Message). */
const PREFIX_BYTES = 5;

/** A message with its prefix: no compression, then the length in four bytes. */
export function frame(): string {
  return `\0\0\0\0${String.fromCharCode(MESSAGE_BYTES)}${"x".repeat(MESSAGE_BYTES)}`;
}

/** The fields of a gRPC request. */
export const GRPC_FIELDS = { "content-type": "application/grpc", te: "trailers" };

/** A unary call with one message each way. */
export const UNARY: Workload = {
  name: "unary",
  method: "POST",
  path: "/bench.Echo/Call",
  bodyBytes: PREFIX_BYTES + MESSAGE_BYTES,
  answerBytes: PREFIX_BYTES + MESSAGE_BYTES,
};
