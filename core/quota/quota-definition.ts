// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import { oneOf } from "./one-of.ts";
import { PERIOD_RULE } from "./period/period-rule.ts";

export const QUOTA_ALGORITHMS = [
  "fixed-window",
  "sliding-window",
  "sliding-log",
  "token-bucket",
  "allocation",
  "concurrency",
] as const;
export type QuotaAlgorithm = (typeof QUOTA_ALGORITHMS)[number];

/** The beginning of fixed windows: multiples of their length since the epoch, or the first charge of a count. */
export const WINDOW_ALIGNMENTS = ["clock", "first-use"] as const;
export type WindowAlignment = (typeof WINDOW_ALIGNMENTS)[number];

/** Policy while the store or the mixer is unavailable; `local` counts on this node, against its share. */
export const STORE_FAILURE_POLICIES = ["allow", "deny", "local"] as const;
export type StoreFailurePolicy = (typeof STORE_FAILURE_POLICIES)[number];

/** Ways in which a request fails: `unanswered` is a `failure` too. */
export const REQUEST_FATES = ["unanswered", "failure"] as const;
export type RequestFate = (typeof REQUEST_FATES)[number];

/** The settlement of a reservation at the end of the response. */
export const SETTLEMENT = Type.Object({
  /** The source of an expression over the complete attribute bag, or a literal amount. */
  charge: Type.Union([Type.String(), Type.Number(), Type.Boolean()]),
  /** The amount without a value: the whole reservation, or this many. */
  whenAbsent: Type.Union([Type.Literal("reserve"), Type.Number({ minimum: 0 })]),
});

export type Settlement = Readonly<Static<typeof SETTLEMENT>>;

/**
 * Units of a limit that a document may name, as draft-ietf-httpapi-ratelimit-headers names them; requests are its
 * default, and are not written. `concurrency` counts the draft's third unit, concurrent-requests.
 */
export const QUOTA_UNITS = ["requests", "content-bytes"] as const;

/** The counting of a quota, the same for all its counts. */
const COUNTING = {
  algorithm: oneOf(QUOTA_ALGORITHMS),
  /**
   * The window's length in milliseconds. With a period: the usual length of the period, which is only shown to
   * clients. 0 for `allocation`, which has no window. For `concurrency`: the time after which a slot that nobody
   * renews is free.
   */
  windowMs: Type.Number({ minimum: 0 }),
  /** For `fixed-window`; absent: "clock". */
  align: Type.Optional(oneOf(WINDOW_ALIGNMENTS)),
  /** For `fixed-window`: the calendar periods that take the place of windows. */
  period: Type.Optional(PERIOD_RULE),
};

/**
 * The part of a QuotaPolicy that is the same for every request. The snapshot has it as one value, and each
 * charge contains it whole, also as JSON between processes; stores and leases read their fields from it. So a
 * new field is written only here.
 */
export const QUOTA_DEFINITION = Type.Object({
  /** The QuotaPolicy's display name. */
  policy: Type.String(),
  ...COUNTING,
  /** How long a proxy may hold an amount, in milliseconds; 0 for no leases. */
  leaseMs: Type.Number({ minimum: 0 }),
  onStoreFailure: oneOf(STORE_FAILURE_POLICIES),
  /** The kind of failure for which the charge is given back; absent: never. */
  giveBackOn: Type.Optional(oneOf(REQUEST_FATES)),
  /** Present when the charge is a reservation. */
  settlement: Type.Optional(SETTLEMENT),
  /** The unit of the limit, for clients; absent: requests. */
  unit: Type.Optional(oneOf(["content-bytes", "concurrent-requests"])),
  /** True when the fields of responses say nothing of the quota; absent: they do. */
  hidden: Type.Optional(Type.Literal(true)),
});

export type QuotaDefinition = Readonly<Static<typeof QUOTA_DEFINITION>>;

export type QuotaCounting = Pick<QuotaDefinition, keyof typeof COUNTING>;
