// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** A value of the field `grpc-timeout`: at most 8 digits and a unit (gRPC over HTTP/2, "Requests"). */
const TIMEOUT = /^([0-9]{1,8})([HMSmun])$/;

/** Milliseconds of each unit: hour, minute, second, millisecond, microsecond, nanosecond. */
const UNIT_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 0.001,
  n: 0.000_001,
};

/**
 * The timeout of a gRPC request: that of its `grpc-timeout`, which the route's bounds. As in Istio, which gives Envoy the
 * route's timeout as `max_grpc_timeout`.
 *
 * @param routeTimeoutMs 0 for no limit.
 * @param field Undefined without the field; a malformed one is ignored, as in Envoy.
 * @returns 0 for no limit; at least 1 for a field that asks for less.
 */
export function grpcTimeoutMs(routeTimeoutMs: number, field: string | undefined): number {
  const parts = field === undefined ? null : TIMEOUT.exec(field);
  if (parts === null) return routeTimeoutMs;
  const askedMs = Math.max(1, Math.ceil(Number(parts[1]) * (UNIT_MS[parts[2] as string] as number)));
  return routeTimeoutMs === 0 ? askedMs : Math.min(routeTimeoutMs, askedMs);
}
