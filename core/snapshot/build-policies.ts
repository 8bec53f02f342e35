// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { DEFAULT_VALID_DURATION_MS, DEFAULT_VALID_USE_COUNT } from "./validity.ts";
import { DEFAULT_QUEUE_LENGTH } from "../documents/kinds/beyond.ts";
import type { AccessPolicySpec } from "../documents/kinds/access-policy.ts";
import type { PeriodSpec, QuotaPolicySpec } from "../documents/kinds/quota-policy.ts";
import { type PeriodRule, USUAL_LENGTH_MS } from "../quota/period/period-rule.ts";
import type { QuotaDefinition } from "../quota/quota-definition.ts";
import type { Fields } from "./fields.ts";
import type { WrittenDocument } from "./policy-document.ts";
import type {
  AccessPolicy,
  BeyondTemplate,
  DirectResponseTemplate,
  HeaderTemplates,
  QuotaPolicy,
  Unplaced,
} from "./snapshot.ts";

/**
 * Bound on the default lease, a tenth of the window, so that amounts held by an idle proxy are soon free
 * again.
 */
const MAX_DEFAULT_LEASE_MS = 1_000;

/** Default life of a slot of `concurrency` that nobody renews, as after a crash of its proxy. */
const DEFAULT_SLOT_LEASE_MS = 10_000;

export function buildAccessPolicy(
  { name, spec, authorization }: WrittenDocument<AccessPolicySpec>,
  fields: Fields,
): Unplaced<AccessPolicy> {
  return {
    ...(authorization === undefined ? {} : { authorization }),
    name,
    spec,
    match: fields.optional(spec.match),
    action: spec.action,
    when: fields.optional(spec.when),
    status: {
      code: spec.status?.code ?? "PERMISSION_DENIED",
      message: fields.optional(spec.status?.message),
    },
    headers: {
      request: headerTemplates(spec.headers?.request, fields),
      response: headerTemplates(spec.headers?.response, fields),
    },
    directResponse: directResponse(spec.directResponse, fields),
    mode: spec.mode ?? "enforce",
    onError: spec.onError ?? "deny",
    validDurationMs: fields.durationMs(spec.validDuration, DEFAULT_VALID_DURATION_MS),
    validUseCount: spec.validUseCount ?? DEFAULT_VALID_USE_COUNT,
  };
}

type Written<K extends keyof AccessPolicySpec> = NonNullable<AccessPolicySpec[K]>;

function headerTemplates(written: Written<"headers">["request"], fields: Fields): HeaderTemplates {
  const { set = {}, append = {}, remove = [] } = written ?? {};
  const templates = (sources: Readonly<Record<string, string>>) =>
    Object.entries(sources).map(([name, source]) => [name.toLowerCase(), fields.expression(source)] as const);
  return { set: templates(set), append: templates(append), remove: remove.map((name) => name.toLowerCase()) };
}

function directResponse(
  written: Written<"directResponse"> | undefined,
  fields: Fields,
): DirectResponseTemplate | undefined {
  if (written === undefined) return undefined;
  const headers = Object.entries(written.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
  return {
    httpStatus: written.code,
    headers: Object.fromEntries(headers) as Record<string, string>,
    body: fields.optional(written.body),
  };
}

export function buildQuotaPolicy(
  { name, spec }: WrittenDocument<QuotaPolicySpec>,
  fields: Fields,
): Unplaced<QuotaPolicy> {
  return {
    name,
    spec,
    match: spec.match === false ? undefined : fields.optional(spec.match),
    key: fields.map(spec.key),
    limit: spec.limit,
    charge: fields.computed(spec.reserve ?? spec.charge ?? 1),
    overrides: (spec.overrides ?? []).map(({ when, limit }) => ({ when: fields.expression(when), limit })),
    store: spec.store === undefined ? undefined : fields.handler(spec.store),
    quota: quotaDefinition(name, spec, fields),
    beyond: (spec.beyond ?? []).map((written) => beyondTemplate(written, fields)),
    message: fields.optional(spec.status?.message),
    mode: spec.mode ?? "enforce",
    onError: spec.onError ?? "deny",
  };
}

function beyondTemplate(
  { queue, draw, degrade }: NonNullable<QuotaPolicySpec["beyond"]>[number],
  fields: Fields,
): BeyondTemplate {
  if (queue !== undefined) {
    const { atMost, length = DEFAULT_QUEUE_LENGTH } = queue;
    return { kind: "queue", atMostMs: fields.durationMs(atMost, 0), length };
  }
  if (draw !== undefined) return { kind: "draw", policy: fields.quotaPolicy(draw) };
  const headers = Object.entries(degrade?.headers ?? {});
  return { kind: "degrade", headers: headers.map(([name, value]) => ({ name: name.toLowerCase(), value })) };
}

function quotaDefinition(policy: string, spec: QuotaPolicySpec, fields: Fields): QuotaDefinition {
  const { reserve, charge, chargeWhenAbsent = "reserve" } = spec;
  const { giveBackOn = reserve === undefined ? "never" : "failure" } = spec;
  const { period: written, align = "clock" } = spec;
  const period = written === undefined ? undefined : periodRule(written);
  const algorithm = spec.algorithm ?? (period === undefined ? "sliding-window" : "fixed-window");
  const concurrent = algorithm === "concurrency";
  const unit = concurrent ? "concurrent-requests" : (spec.unit ?? "requests");
  const windowMs = concurrent
    ? fields.durationMs(spec.lease, DEFAULT_SLOT_LEASE_MS)
    : period === undefined
      ? fields.durationMs(spec.window, 0)
      : USUAL_LENGTH_MS[period.every];
  return {
    policy,
    algorithm,
    windowMs,
    ...(align === "clock" ? {} : { align }),
    ...(period === undefined ? {} : { period }),
    // An allocation has a window of 0: nothing is leased, because a lost lease would be lost for ever.
    // Each slot is taken for the request that needs it.
    leaseMs: concurrent
      ? 0
      : fields.durationMs(spec.lease, Math.min(MAX_DEFAULT_LEASE_MS, Math.floor(windowMs / 10))),
    onStoreFailure: spec.onStoreFailure ?? "local",
    ...(giveBackOn === "never" ? {} : { giveBackOn }),
    ...(reserve === undefined || charge === undefined
      ? {}
      : { settlement: { charge, whenAbsent: chargeWhenAbsent } }),
    ...(unit === "requests" ? {} : { unit }),
    ...(spec.headers === false ? { hidden: true } : {}),
  };
}

function periodRule({ every, timeZone = "UTC", ...first }: PeriodSpec): PeriodRule {
  if (every === "week") return { every, timeZone, startsOn: first.startsOn ?? "monday" };
  if (every === "month") return { every, timeZone, dayOfMonth: first.dayOfMonth ?? 1 };
  return { every, timeZone };
}
