// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { grpcTimeoutMs } from "../../core/traffic/grpc-timeout.ts";
import type { Exchange } from "../exchange/exchange.ts";
import { grpcContentType } from "../exchange/grpc-reply.ts";
import { GRPC_TIMEOUT } from "../transport/fields/name-flags.ts";

/** The route's timeout, or the shorter one that a gRPC client asks for, in milliseconds; 0 for no limit. */
export function requestTimeoutMs({ nameFlags, request }: Exchange, routeTimeoutMs: number): number {
  if ((nameFlags & GRPC_TIMEOUT) === 0) return routeTimeoutMs;
  const isGrpc = grpcContentType(request.headers.get("content-type")) !== undefined;
  return isGrpc ? grpcTimeoutMs(routeTimeoutMs, request.headers.get("grpc-timeout")) : routeTimeoutMs;
}
