// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { VerdictOutcome } from "../../core/verdict/verdict.ts";
import type { ErrorCode } from "../../kernel/error-catalog.ts";
import type { ResponseFlag } from "./local-reply.ts";

/** Envoy's response flags of connections: those of requests, and DT for a connection that lasted too long. */
type TcpFlag = ResponseFlag | "DT";

/** The reason for which a connection ended, in metrics and in `response.code_details`. */
export type TcpEnding = keyof typeof ENDINGS;

interface EndingRow {
  readonly flag?: TcpFlag;
  readonly code?: ErrorCode;
  /** No byte was forwarded, through no fault of the client: charges with refundOn are given back. */
  readonly isUnanswered?: true;
}

/** Every way in which a connection ends. The flags are Envoy's. */
const ENDINGS = {
  /** The client, or the upstream, ended its direction first, and the other followed. */
  client: {},
  upstream: {},
  client_reset: { flag: "DC" },
  upstream_reset: { flag: "UC", code: "PURSER_PROXY_UPSTREAM" },
  idle_timeout: { flag: "SI" },
  max_duration: { flag: "DT" },
  denied_by_policy: { flag: "UAEX" },
  limited_by_quota: { flag: "RL" },
  policy_undecided: { flag: "UAEX" },
  direct_response_by_policy: {},
  refused_by_changed_policy: { flag: "UAEX" },
  /** The certificate that the client showed has expired. */
  certificate_expired: { flag: "UAEX" },
  route_not_found: { flag: "NR", code: "PURSER_PROXY_NO_ROUTE" },
  no_healthy_upstream: { flag: "UH", code: "PURSER_PROXY_NO_ENDPOINT", isUnanswered: true },
  upstream_overflow: { flag: "UO", code: "PURSER_PROXY_OVERFLOW", isUnanswered: true },
  upstream_connect_failure: { flag: "UF", code: "PURSER_PROXY_UPSTREAM", isUnanswered: true },
  upstream_connect_timeout: { flag: "UF", code: "PURSER_PROXY_UPSTREAM_TIMEOUT", isUnanswered: true },
  /** The listener is gone, or the part of it that accepted the connection; or the proxy stops. */
  drain: {},
  internal_error: { code: "PURSER_INTERNAL", isUnanswered: true },
} as const satisfies Readonly<Record<string, EndingRow>>;

export function rowOf(ending: TcpEnding): EndingRow {
  return ENDINGS[ending];
}

/** The ending of a connection that the policies refuse. */
export const REFUSALS = {
  allow: "direct_response_by_policy",
  deny: "denied_by_policy",
  limit: "limited_by_quota",
  error: "policy_undecided",
} as const satisfies Readonly<Record<VerdictOutcome["kind"], TcpEnding>>;
