// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { backoffMs } from "../../kernel/backoff.ts";
import type { Random } from "../../kernel/ports.ts";
import { RETRY_CONDITIONS, type RetryCondition, type RetryPolicy } from "./resources/route.ts";

/** Retry conditions and back-off: Envoy's, with Istio's defaults. */

/** Words of `retryOn` in documents, besides response codes. */
export const RETRY_WORDS: readonly string[] = [...RETRY_CONDITIONS, "retriable-status-codes"];

/** Envoy's other words for `retryOn`, with the reason why Purser has no use for them. */
export const REFUSED_RETRY_WORDS: ReadonlyMap<string, string> = new Map([
  [
    "retriable-headers",
    "retriable-headers needs names of headers, which a VirtualService cannot write; list response codes",
  ],
  [
    "http3-post-connect-failure",
    "http3-post-connect-failure is about HTTP/3, which the proxy does not speak; leave it out",
  ],
]);

/**
 * The policy of a route without `retries`: two retries for idempotent methods, after a 503 and on Istio's
 * default conditions (pilot/pkg/networking/core/route/retry). A POST or PATCH is retried only when nothing
 * was sent: an upstream may act on it and still answer 503 (RFC 9110, section 9.2.2; istio/istio#52111). The
 * back-off is Envoy's: 25 ms to 250 ms.
 */
export const DEFAULT_RETRY_POLICY: RetryPolicy = {
  retries: 2,
  on: ["connect-failure", "refused-stream", "unavailable", "cancelled"],
  onStatuses: [503],
  idempotentOnly: true,
  perTryTimeoutMs: 0,
  backoffBaseMs: 25,
  backoffMaxMs: 250,
};

export const NO_RETRIES: RetryPolicy = { ...DEFAULT_RETRY_POLICY, retries: 0, on: [], onStatuses: [] };

/**
 * Parses `connect-failure,503`. Words that are neither conditions nor response codes are returned in
 * `unknown`. `retriable-status-codes` is accepted for Istio's users; the codes alone suffice.
 */
export function parseRetryOn(text: string): Pick<RetryPolicy, "on" | "onStatuses"> & {
  readonly unknown: readonly string[];
} {
  const on: RetryCondition[] = [];
  const onStatuses: number[] = [];
  const unknown: string[] = [];
  for (const word of text.split(",").map((part) => part.trim())) {
    const condition = RETRY_CONDITIONS.find((known) => known === word);
    if (condition !== undefined) on.push(condition);
    else if (/^[2-5][0-9]{2}$/.test(word)) onStatuses.push(Number(word));
    else if (word !== "retriable-status-codes") unknown.push(word);
  }
  return { on, onStatuses, unknown };
}

/** The outcome of an attempt. */
export type TryOutcome =
  /** No connection could be opened: nothing was sent. */
  | { readonly kind: "connect-failure" }
  /** The upstream did not process the request (HTTP/2 REFUSED_STREAM). */
  | { readonly kind: "refused-stream" }
  /** The connection broke before response headers. */
  | { readonly kind: "reset" }
  /** The attempt's own timeout; there is no retry after the route's timeout. */
  | { readonly kind: "per-try-timeout" }
  | {
      readonly kind: "response";
      readonly status: number;
      /** From the response headers only: a status in trailers comes too late. */
      readonly grpcStatus?: number;
      /** Whether the response has the field `x-envoy-ratelimited`; default false. */
      readonly rateLimited?: boolean;
    };

/** Idempotent methods (RFC 9110, section 9.2.2); names are case-sensitive. */
const IDEMPOTENT: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

/** Whether a method is known to be idempotent; unknown methods are not. */
export function isIdempotent(method: string): boolean {
  return IDEMPOTENT.has(method);
}

/**
 * Whether a request is sent again, whatever the route's policy, when the upstream has closed the idle connection that it is
 * sent on (RFC 9112, section 9.3.1).
 */
export function isRepeatable(method: string, hasBody: boolean): boolean {
  return !hasBody && isIdempotent(method);
}

/** Numbers of the gRPC statuses that conditions are named after. */
const GRPC_STATUS = {
  cancelled: 1,
  "deadline-exceeded": 4,
  "resource-exhausted": 8,
  internal: 13,
  unavailable: 14,
} as const;

/** Whether the policy allows another attempt after this outcome; the caller counts attempts. */
export function isRetriable(outcome: TryOutcome, policy: RetryPolicy, method: string): boolean {
  if (policy.idempotentOnly && !isIdempotent(method) && !nothingWasDone(outcome)) return false;
  for (const condition of policy.on) if (holds(condition, outcome)) return true;
  return outcome.kind === "response" && policy.onStatuses.includes(outcome.status);
}

/**
 * Fast path: whether a response is a success for every policy, so that `isRetriable` need not be asked. No
 * condition holds for a status below 400 without a gRPC status (a rate-limited response has 429), and `onStatuses` is asked here.
 */
export function isPlainSuccess(
  status: number,
  grpcStatus: string | undefined,
  { onStatuses }: RetryPolicy,
): boolean {
  return status < 400 && grpcStatus === undefined && !onStatuses.includes(status);
}

function nothingWasDone({ kind }: TryOutcome): boolean {
  return kind === "connect-failure" || kind === "refused-stream";
}

function holds(condition: RetryCondition, outcome: TryOutcome): boolean {
  switch (condition) {
    case "connect-failure":
    // A request is sent as soon as it has a connection, so that a reset before it is sent is a failed connection.
    case "reset-before-request":
      return outcome.kind === "connect-failure";
    case "refused-stream":
      return outcome.kind === "refused-stream";
    // In Envoy each of these three conditions includes every failure without a response.
    case "reset":
      return outcome.kind !== "response";
    case "gateway-error":
      return outcome.kind !== "response" || (outcome.status >= 502 && outcome.status <= 504);
    case "5xx":
      return outcome.kind !== "response" || (outcome.status >= 500 && outcome.status <= 599);
    case "retriable-4xx":
      return outcome.kind === "response" && outcome.status === 409;
    case "envoy-ratelimited":
      return outcome.kind === "response" && outcome.rateLimited === true;
    case "cancelled":
    case "deadline-exceeded":
    case "internal":
    case "resource-exhausted":
    case "unavailable":
      return outcome.kind === "response" && outcome.grpcStatus === GRPC_STATUS[condition];
  }
}

/**
 * Delay before the `retry`-th retry (1 for the first): random in [0, (2^retry - 1) × base), and less than the
 * policy's maximum. Full jitter keeps proxies from retrying together.
 */
export function retryPauseMs(
  retry: number,
  policy: Pick<RetryPolicy, "backoffBaseMs" | "backoffMaxMs">,
  random: Random,
): number {
  return backoffMs(retry, random, { minMs: 0, baseMs: policy.backoffBaseMs, maxMs: policy.backoffMaxMs });
}
