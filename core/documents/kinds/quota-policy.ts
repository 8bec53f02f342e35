// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import { MAX_SLIDING_LOG_LIMIT } from "../../quota/counting/sliding-log.ts";
import { PERIOD_LENGTHS, USUAL_LENGTH_MS, WEEKDAYS } from "../../quota/period/period-rule.ts";
import { isTimeZone } from "../../quota/period/zone-clock.ts";
import {
  QUOTA_ALGORITHMS,
  QUOTA_UNITS,
  REQUEST_FATES,
  STORE_FAILURE_POLICIES,
  WINDOW_ALIGNMENTS,
} from "../../quota/quota-definition.ts";
import { parseDurationMs } from "../../../kernel/duration.ts";
import { suggest } from "../../../kernel/suggest.ts";
import { BEYOND, beyondFaults } from "./beyond.ts";
import {
  Choice,
  Closed,
  Duration,
  Expression,
  ExpressionMap,
  ExpressionOrLiteral,
  Match,
  Mode,
  OnError,
  Reference,
} from "./fields.ts";
import type { KindDefinition } from "./kind.ts";
import type { SpecFault } from "../../../kernel/diagnostic.ts";

const GIVE_BACK_POLICIES = ["never", ...REQUEST_FATES] as const;

const Limit = (description: string) => Type.Integer({ minimum: 0, maximum: 1_000_000_000, description });

const PeriodSpec = Closed(
  {
    every: Choice(PERIOD_LENGTHS, "The period: a day, a week or a month of the calendar."),
    timeZone: Type.Optional(
      Type.String({
        minLength: 1,
        description: "The time zone in which days begin, as in the IANA database; default UTC.",
        examples: ["Europe/Zurich"],
      }),
    ),
    startsOn: Type.Optional(Choice(WEEKDAYS, "The first day of a week; default monday.")),
    dayOfMonth: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 31,
        description:
          "The first day of a month's period; default 1. In a shorter month the period begins on its last day.",
      }),
    ),
  },
  {
    description:
      "With fixed-window, in place of the window: the limit is a budget for each period of the calendar.",
  },
);

export type PeriodSpec = Static<typeof PeriodSpec>;

const QuotaPolicySpec = Closed({
  match: Type.Optional(
    Type.Union([Match("request"), Type.Literal(false)], {
      description:
        "The requests that this document applies to; all requests when absent. false: none, for a policy that others only draw on.",
    }),
  ),
  key: Type.Optional(
    ExpressionMap(
      "request",
      "The dimensions of the count: one count for each distinct set of values; a single count when absent.",
    ),
  ),
  limit: Limit(
    "The amount allowed in a window or period; with token-bucket, the bucket's size and its refill per window; with allocation, the amount that may be taken at any time; with concurrency, the number of requests at a time.",
  ),
  window: Type.Optional(
    Duration("The window's length. Required without a period, except by allocation and concurrency."),
  ),
  period: Type.Optional(PeriodSpec),
  algorithm: Type.Optional(
    Choice(
      QUOTA_ALGORITHMS,
      "The counting algorithm; default sliding-window, or fixed-window with a period.",
    ),
  ),
  align: Type.Optional(
    Choice(
      WINDOW_ALIGNMENTS,
      "When a fixed-window begins: at multiples of its length since the epoch (clock, the default), or with the first charge of its count (first-use).",
    ),
  ),
  charge: Type.Optional(
    ExpressionOrLiteral(
      "request",
      "The amount that one request uses; default 1. With reserve, over the attributes of the response too, such as response.size.",
      { responseWith: "reserve" },
    ),
  ),
  reserve: Type.Optional(
    ExpressionOrLiteral(
      "request",
      "An upper bound of the charge, taken before the request is forwarded; at the end of the response, what the charge leaves of it goes back.",
    ),
  ),
  chargeWhenAbsent: Type.Optional(
    Type.Union([Type.Literal("reserve"), Type.Integer({ minimum: 0 })], {
      description:
        "With reserve: the charge of a request for which the expression has no value or fails; default reserve, the whole reservation.",
    }),
  ),
  overrides: Type.Optional(
    Type.Array(
      Closed({
        when: Expression(
          { phase: "request", result: "boolean" },
          "The requests with this limit; the first override that is true applies.",
        ),
        limit: Limit("The limit in place of the policy's."),
      }),
      { description: "Other limits for some requests." },
    ),
  ),
  store: Type.Optional(Reference("Handler", "The Handler that counts; the mixer's memory when absent.")),
  onStoreFailure: Type.Optional(
    Choice(
      STORE_FAILURE_POLICIES,
      "When the store or the mixer is unavailable: allow, deny, or local (default: count locally, against this node's share).",
    ),
  ),
  giveBackOn: Type.Optional(
    Choice(
      GIVE_BACK_POLICIES,
      "When a proxy gives back the charge of an allowed request: never (default), unanswered (the upstream sent no response), or failure (unanswered, or a status of 500 or above; default with reserve).",
    ),
  ),
  lease: Type.Optional(
    Duration(
      "How long a proxy may hold amounts granted ahead of need; default a tenth of the window, at most 1s; 0s turns leases off. An allocation is never leased. With concurrency: after this time the slot of a proxy that crashed is free again; default 10s, at least 1s.",
    ),
  ),
  beyond: Type.Optional(BEYOND),
  status: Type.Optional(
    Closed({
      message: Type.Optional(Expression({ phase: "request", result: "any" }, "Message to the client.")),
    }),
  ),
  unit: Type.Optional(
    Choice(
      QUOTA_UNITS,
      "The unit of the limit, as `qu` of RateLimit-Policy tells clients: requests (default), or content-bytes for a `charge` in bytes.",
    ),
  ),
  headers: Type.Optional(
    Type.Boolean({
      description:
        "False to leave the quota out of the RateLimit fields of responses; default true. A request that it refuses still gets 429 with Retry-After.",
    }),
  ),
  mode: Mode(),
  onError: OnError(),
});

export type QuotaPolicySpec = Static<typeof QuotaPolicySpec>;

export const QUOTA_POLICY = {
  kind: "QuotaPolicy",
  apiVersions: ["purser.dev/v1"],
  description: "Limits the rate or amount of requests.",
  spec: QuotaPolicySpec,
  check: checkQuotaPolicy,
} as const satisfies KindDefinition;

function settlementFaults({ reserve, charge, chargeWhenAbsent }: QuotaPolicySpec): readonly SpecFault[] {
  if (reserve !== undefined && charge === undefined)
    return [
      { path: ["reserve"], message: "spec.reserve needs spec.charge, the amount that is used in the end" },
    ];
  if (reserve === undefined && chargeWhenAbsent !== undefined)
    return [
      {
        path: ["chargeWhenAbsent"],
        message: "spec.chargeWhenAbsent needs spec.reserve: only a reservation is settled after the response",
      },
    ];
  return [];
}

/** A token bucket computes with tokens × milliseconds, up to three times limit × window: exact below 2^53. */
const MAX_TOKEN_MS = Math.floor(Number.MAX_SAFE_INTEGER / 3);

function checkQuotaPolicy(spec: QuotaPolicySpec): readonly SpecFault[] {
  return [
    ...windowFaults(spec),
    ...periodFaults(spec.period),
    ...settlementFaults(spec),
    ...beyondFaults(spec.beyond),
    ...limitFaults(spec),
  ];
}

/** Faults of the fields that an algorithm needs or does not have. */
function windowFaults(spec: QuotaPolicySpec): readonly SpecFault[] {
  const { algorithm, window, period, align, lease } = spec;
  const faults: SpecFault[] = [];
  const fault = (field: string, message: string) => void faults.push({ path: [field], message });
  const windowMs = parseDurationMs(window ?? "0s") as number;
  const leaseMs = parseDurationMs(lease ?? "0s") as number;
  const alignable = algorithm === "fixed-window" || (period !== undefined && algorithm !== "allocation");
  if (align !== undefined && !alignable) fault("align", "spec.align is for the algorithm fixed-window");
  if (algorithm === "allocation") {
    if (window !== undefined) fault("window", "spec.window is not for an allocation, which no time frees");
    if (period !== undefined) fault("period", "spec.period is not for an allocation, which no time frees");
    if (leaseMs > 0) fault("lease", "spec.lease must be 0s for an allocation, which is never leased");
    return faults;
  }
  if (algorithm === "concurrency") return [...faults, ...concurrencyFaults(spec)];
  if (period !== undefined) {
    if (window !== undefined) fault("window", "spec.window and spec.period exclude each other");
    if (algorithm !== undefined && algorithm !== "fixed-window")
      fault("algorithm", `spec.algorithm must be fixed-window with spec.period, not ${algorithm}`);
    if (align !== undefined) fault("align", "spec.align and spec.period exclude each other");
    if (leaseMs > USUAL_LENGTH_MS[period.every])
      fault("lease", `spec.lease must be at most the period, a ${period.every}`);
    return faults;
  }
  if (window === undefined) return [{ path: [], message: 'spec lacks the field "window" or "period"' }];
  if (windowMs === 0) return [{ path: ["window"], message: "spec.window must be more than 0s" }];
  if (leaseMs > windowMs) fault("lease", `spec.lease must be at most the window, ${window}`);
  return faults;
}

/** A slot is renewed at half of its lease: a shorter one would be lost by a pause of the process. */
const LEAST_SLOT_LEASE_MS = 1_000;

function concurrencyFaults(spec: QuotaPolicySpec): readonly SpecFault[] {
  const { window, period, lease, reserve, giveBackOn } = spec;
  const faults: SpecFault[] = [];
  const fault = (field: string, message: string) =>
    void faults.push({ path: [field], message: `spec.${field} ${message}` });
  if (window !== undefined) fault("window", "is not for concurrency: a slot is free when its request ends");
  if (period !== undefined) fault("period", "is not for concurrency: a slot is free when its request ends");
  if (reserve !== undefined) fault("reserve", "is not for concurrency: a request's slots go back whole");
  if (giveBackOn !== undefined)
    fault("giveBackOn", "is not for concurrency: slots go back however a request ends");
  if (lease !== undefined && (parseDurationMs(lease) as number) < LEAST_SLOT_LEASE_MS)
    fault("lease", "must be at least 1s for concurrency: slots are renewed at half of it");
  return faults;
}

function periodFaults(period: PeriodSpec | undefined): readonly SpecFault[] {
  const { every, timeZone, startsOn, dayOfMonth } = period ?? {};
  const faults: SpecFault[] = [];
  const fault = (field: string, message: string, suggestion?: string) =>
    void faults.push({
      path: ["period", field],
      message: `spec.period.${field} ${message}`,
      ...(suggestion === undefined ? {} : { suggestion }),
    });
  if (timeZone !== undefined && !isTimeZone(timeZone)) {
    const close = suggest(timeZone, Intl.supportedValuesOf("timeZone"));
    fault("timeZone", `must be a time zone such as Europe/Zurich, not ${JSON.stringify(timeZone)}`, close);
  }
  if (startsOn !== undefined && every !== "week") fault("startsOn", "is for weeks");
  if (dayOfMonth !== undefined && every !== "month") fault("dayOfMonth", "is for months");
  return faults;
}

/** Faults of limits that are too large for the algorithm. */
function limitFaults(spec: QuotaPolicySpec): readonly SpecFault[] {
  const bound = limitBound(spec);
  if (bound === undefined) return [];
  const { largest, reason } = bound;
  const faults: SpecFault[] = [];
  const tooLarge = `must be at most ${largest} for a ${reason}`;
  if (spec.limit > largest) faults.push({ path: ["limit"], message: `spec.limit ${tooLarge}` });
  for (const [index, { limit }] of (spec.overrides ?? []).entries())
    if (limit > largest)
      faults.push({
        path: ["overrides", index, "limit"],
        message: `spec.overrides[${index}].limit ${tooLarge}`,
      });
  return faults;
}

interface LimitBound {
  readonly largest: number;
  /** The algorithm, and what to write for more. */
  readonly reason: string;
}

function limitBound({ algorithm, window = "0s" }: QuotaPolicySpec): LimitBound | undefined {
  if (algorithm === "sliding-log")
    return { largest: MAX_SLIDING_LOG_LIMIT, reason: "sliding-log; a sliding-window counts more than that" };
  const windowMs = parseDurationMs(window) as number;
  if (algorithm !== "token-bucket" || windowMs === 0) return undefined;
  return {
    largest: Math.floor(MAX_TOKEN_MS / windowMs),
    reason: `token-bucket with a window of ${window}; write the same rate with a shorter window`,
  };
}
