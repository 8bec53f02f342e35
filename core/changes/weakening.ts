// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { DRY_RUN } from "../snapshot/authorization/authorization-policies.ts";
import { parseDurationMs } from "../../kernel/duration.ts";
import type { DocumentSummary } from "../snapshot/snapshot.ts";

/** Fields of the kinds that refuse or limit requests. */
interface Guarding {
  readonly action?: string;
  readonly mode?: string;
  readonly onError?: string;
  readonly onStoreFailure?: string;
  readonly limit?: number;
  readonly window?: string;
  readonly match?: unknown;
  readonly mtls?: { readonly mode?: string };
}

/** Effects on requests, by the kind of document; other kinds refuse none. */
const DOES: Readonly<Record<string, (spec: Guarding) => string | undefined>> = {
  AccessPolicy: ({ action }) => ACTIONS[action ?? ""],
  AuthorizationPolicy: ({ action = "ALLOW" }) => ACTIONS[action],
  QuotaPolicy: ({ match }) => (match === false ? undefined : "limits requests"),
  Rule: () => "may refuse requests",
  Overload: () => "sheds requests",
  PeerAuthentication: ({ mtls }) => (mtls?.mode === "STRICT" ? "demands certificates" : undefined),
  RequestAuthentication: () => "demands valid tokens",
};

const ACTIONS: Readonly<Record<string, string>> = {
  DENY: "refuses requests",
  ALLOW: "refuses what it does not allow",
  CUSTOM: "may refuse requests",
};

/**
 * The reason for which a change may let requests pass that were refused or limited; undefined when the change is none of those
 * that can be told without requests. A changed condition is none: replay tells.
 *
 * @param after Undefined for a document that is gone.
 */
export function weakeningOf(before: DocumentSummary, after: DocumentSummary | undefined): string | undefined {
  const old = before.spec as Guarding;
  const did = DOES[before.kind]?.(old);
  if (did === undefined || isShadow(before)) return undefined;
  if (after === undefined) return `a document that ${did} is gone`;
  const now = after.spec as Guarding;
  if (isShadow(after)) return `a document that ${did} is in shadow mode now`;
  if (DOES[after.kind]?.(now) !== did) return `a document that ${did} no longer does`;
  if (old.onError !== "allow" && now.onError === "allow")
    return "requests pass now when it cannot be decided";
  if (old.onStoreFailure !== "allow" && now.onStoreFailure === "allow")
    return "requests pass now without a count while the store is unavailable";
  return before.kind === "QuotaPolicy" && rateOf(now) > rateOf(old) ? "its limit is higher" : undefined;
}

function isShadow({ spec, metadata }: DocumentSummary): boolean {
  return (spec as Guarding).mode === "shadow" || metadata?.annotations?.[DRY_RUN] === "true";
}

/** The limit for each millisecond of the window; the limit itself where there is no window, or one that is not read here. */
function rateOf({ limit = 0, window }: Guarding): number {
  const windowMs = typeof window === "string" ? parseDurationMs(window) : undefined;
  return windowMs === undefined || windowMs === 0 ? limit : limit / windowMs;
}
