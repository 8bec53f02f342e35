// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { TryOutcome } from "../../core/traffic/retry.ts";
import { httpStatusOf, STATUS_CODES } from "../../kernel/status.ts";
import type { ResponseHead } from "../transport/contract/head.ts";

/** The status of a response for outlier detection; gRPC's own status counts, as in Envoy. */
export function outlierStatusOf(status: number, grpcStatus: string | undefined): number {
  if (grpcStatus === undefined) return status;
  const code = STATUS_CODES[Number(grpcStatus)];
  return httpStatusOf(code ?? "UNKNOWN");
}

/** The outcome of a try that was answered, for the route's retry policy. */
export function responseOutcome({ status, headers }: ResponseHead): TryOutcome {
  const grpcStatus = headers.get("grpc-status");
  const rateLimited = headers.has("x-envoy-ratelimited");
  return grpcStatus === undefined
    ? { kind: "response", status, rateLimited }
    : { kind: "response", status, grpcStatus: Number(grpcStatus), rateLimited };
}
