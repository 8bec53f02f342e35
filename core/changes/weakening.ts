// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { isDryRun } from "../snapshot/authorization/authorization-policies.ts";
import { type PeriodRule, USUAL_LENGTH_MS } from "../quota/period/period-rule.ts";
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
  readonly period?: { readonly every: PeriodRule["every"] };
  readonly overrides?: readonly { readonly when: string; readonly limit: number }[];
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
  return before.kind === "QuotaPolicy" && allowsMore(old, now) ? "its limit is higher" : undefined;
}

function isShadow({ spec, metadata }: DocumentSummary): boolean {
  return (spec as Guarding).mode === "shadow" || isDryRun(metadata?.annotations ?? {});
}

/**
 * Whether the limit of any request is higher now, in proportion to the time in which it is used up. Undefined for a limit for
 * a time and one without, which cannot be compared.
 */
function allowsMore(old: Guarding, now: Guarding): boolean | undefined {
  const [oldMs, nowMs] = [lengthOf(old), lengthOf(now)];
  if ((oldMs === undefined) !== (nowMs === undefined)) return undefined;
  const conditions = [
    undefined,
    ...[old, now].flatMap(({ overrides = [] }) => overrides.map(({ when }) => when)),
  ];
  return conditions.some((when) => limitOf(now, when) / (nowMs ?? 1) > limitOf(old, when) / (oldMs ?? 1));
}

/** Milliseconds in which the limit is used up; undefined for a limit at any time. */
function lengthOf({ window, period }: Guarding): number | undefined {
  return period === undefined ? parseDurationMs(window ?? "") : USUAL_LENGTH_MS[period.every];
}

/** The limit of the requests for which this override's condition alone is true; without one, that of all others. */
function limitOf({ limit = 0, overrides = [] }: Guarding, when: string | undefined): number {
  return overrides.find((override) => override.when === when)?.limit ?? limit;
}
