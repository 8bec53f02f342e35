// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Random } from "../kernel/ports.ts";
import type { RetryCondition, RetryPolicy } from "./model.ts";

/** When and how soon to try again: Envoy's conditions and back-off, with Istio's defaults. */

const CONDITIONS: readonly RetryCondition[] = [
  "connect-failure",
  "refused-stream",
  "reset",
  "gateway-error",
  "5xx",
  "retriable-4xx",
  "unavailable",
  "cancelled",
];

/** What a document may write in `retryOn`, besides response codes. */
export const RETRY_WORDS: readonly string[] = [...CONDITIONS, "retriable-status-codes"];

/**
 * What a mesh does when nobody says: Istio's default (pilot/pkg/networking/core/route/retry): two further tries for
 * failures after which the request cannot have been acted on, and for 503. The back-off is Envoy's: 25 ms to 250 ms.
 */
export const DEFAULT_RETRY_POLICY: RetryPolicy = {
  retries: 2,
  on: ["connect-failure", "refused-stream", "unavailable", "cancelled"],
  onStatuses: [503],
  perTryTimeoutMs: 0,
  backoffBaseMs: 25,
  backoffMaxMs: 250,
};

export const NO_RETRIES: RetryPolicy = { ...DEFAULT_RETRY_POLICY, retries: 0, on: [], onStatuses: [] };

/**
 * Reads `connect-failure,503`. A word that is neither a condition nor a response code is handed back in `unknown`.
 * `retriable-status-codes` is accepted because Istio's users write it; the codes themselves say it all.
 */
export function parseRetryOn(text: string): Pick<RetryPolicy, "on" | "onStatuses"> & {
  readonly unknown: readonly string[];
} {
  const on: RetryCondition[] = [];
  const onStatuses: number[] = [];
  const unknown: string[] = [];
  for (const word of text.split(",").map((part) => part.trim())) {
    const condition = CONDITIONS.find((known) => known === word);
    if (condition !== undefined) on.push(condition);
    else if (/^[2-5][0-9]{2}$/.test(word)) onStatuses.push(Number(word));
    else if (word !== "retriable-status-codes") unknown.push(word);
  }
  return { on, onStatuses, unknown };
}

/** How a try ended. */
export type TryOutcome =
  /** No connection could be made: nothing was sent. */
  | { readonly kind: "connect-failure" }
  /** The upstream said that it did nothing with the request (HTTP/2 REFUSED_STREAM). */
  | { readonly kind: "refused-stream" }
  /** The connection broke before response headers. */
  | { readonly kind: "reset" }
  /** The try's own timeout; the route's whole timeout is never followed by a retry. */
  | { readonly kind: "per-try-timeout" }
  | {
      readonly kind: "response";
      readonly status: number;
      /** From the response headers alone: a status in trailers comes too late. */
      readonly grpcStatus?: number;
    };

const GRPC_CANCELLED = 1;
const GRPC_UNAVAILABLE = 14;

/** Whether the policy wants another try after this outcome; counting the tries is the caller's. */
export function isRetriable(outcome: TryOutcome, policy: RetryPolicy): boolean {
  return (
    policy.on.some((condition) => holds(condition, outcome)) ||
    (outcome.kind === "response" && policy.onStatuses.includes(outcome.status))
  );
}

function holds(condition: RetryCondition, outcome: TryOutcome): boolean {
  switch (condition) {
    case "connect-failure":
      return outcome.kind === "connect-failure";
    case "refused-stream":
      return outcome.kind === "refused-stream";
    // In Envoy each of these three covers every way of getting no response at all.
    case "reset":
      return outcome.kind !== "response";
    case "gateway-error":
      return outcome.kind !== "response" || (outcome.status >= 502 && outcome.status <= 504);
    case "5xx":
      return outcome.kind !== "response" || (outcome.status >= 500 && outcome.status <= 599);
    case "retriable-4xx":
      return outcome.kind === "response" && outcome.status === 409;
    case "unavailable":
      return outcome.kind === "response" && outcome.grpcStatus === GRPC_UNAVAILABLE;
    case "cancelled":
      return outcome.kind === "response" && outcome.grpcStatus === GRPC_CANCELLED;
  }
}

/**
 * How long to wait before the `retry`-th retry (1 for the first): anywhere in [0, (2^retry - 1) × base), and less
 * than the policy's maximum. Full jitter keeps proxies from coming back together.
 */
export function backoffMs(
  retry: number,
  policy: Pick<RetryPolicy, "backoffBaseMs" | "backoffMaxMs">,
  random: Random,
): number {
  return random() * Math.min((2 ** retry - 1) * policy.backoffBaseMs, policy.backoffMaxMs);
}
