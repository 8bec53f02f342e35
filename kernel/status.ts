// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Status codes of a decision: gRPC's canonical codes, and the HTTP status of each. The mapping is Mixer's
 * (istio/proxy src/istio/utils/status.cc), which follows google.rpc.Code.
 */
const HTTP_STATUS = {
  OK: 200,
  CANCELLED: 499,
  UNKNOWN: 500,
  INVALID_ARGUMENT: 400,
  DEADLINE_EXCEEDED: 504,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  PERMISSION_DENIED: 403,
  RESOURCE_EXHAUSTED: 429,
  FAILED_PRECONDITION: 400,
  ABORTED: 409,
  OUT_OF_RANGE: 400,
  UNIMPLEMENTED: 501,
  INTERNAL: 500,
  UNAVAILABLE: 503,
  DATA_LOSS: 500,
  UNAUTHENTICATED: 401,
} as const;

export type StatusCode = keyof typeof HTTP_STATUS;

/** All codes in gRPC's order; UNAUTHENTICATED (16) is last there too. */
export const STATUS_CODES: readonly StatusCode[] = Object.keys(HTTP_STATUS) as StatusCode[];

export interface Status {
  readonly code: StatusCode;
  /** For the client; empty when OK. */
  readonly message: string;
}

export const OK: Status = { code: "OK", message: "" };

export function httpStatusOf(code: StatusCode): number {
  return HTTP_STATUS[code];
}

/** The status that gRPC reads into an HTTP response without one (grpc/doc/http-grpc-status-mapping.md). */
export function statusOfHttp(httpStatus: number): StatusCode {
  return STATUS_OF_HTTP[httpStatus] ?? "UNKNOWN";
}

const STATUS_OF_HTTP: Readonly<Record<number, StatusCode>> = {
  400: "INTERNAL",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "UNIMPLEMENTED",
  429: "UNAVAILABLE",
  502: "UNAVAILABLE",
  503: "UNAVAILABLE",
  504: "UNAVAILABLE",
};

/** Whether a response with this HTTP status never has content (RFC 9110, sections 15.2, 15.3.5, 15.3.6 and 15.4.5). */
export function hasNoContent(httpStatus: number): boolean {
  return httpStatus < 200 || httpStatus === 204 || httpStatus === 205 || httpStatus === 304;
}
