// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import { QUOTA_ALGORITHMS } from "../../quota/quota-definition.ts";
import { QUOTA_UNITS, REQUEST_FATES, STORE_FAILURE_POLICIES } from "../../quota/quota-definition.ts";
import { parseDurationMs } from "../../../kernel/duration.ts";
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

const QuotaPolicySpec = Closed({
  match: Match("request"),
  key: Type.Optional(
    ExpressionMap(
      "request",
      "The dimensions of the count: one count for each distinct set of values; a single count when absent.",
    ),
  ),
  limit: Limit(
    "The amount allowed in a window; with token-bucket, the bucket's size and its refill per window.",
  ),
  window: Duration("The window's length."),
  algorithm: Type.Optional(Choice(QUOTA_ALGORITHMS, "The counting algorithm; default sliding-window.")),
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
      "How long a proxy may hold amounts granted ahead of need; default a tenth of the window, at most 1s; 0s turns leases off.",
    ),
  ),
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
  const windowMs = parseDurationMs(spec.window) as number;
  if (windowMs === 0) return [{ path: ["window"], message: "spec.window must be more than 0s" }];
  const faults: SpecFault[] = [...settlementFaults(spec)];
  const leaseMs = parseDurationMs(spec.lease ?? "0s") as number;
  if (leaseMs > windowMs)
    faults.push({ path: ["lease"], message: `spec.lease must be at most the window, ${spec.window}` });
  if (spec.algorithm !== "token-bucket") return faults;
  const largest = Math.floor(MAX_TOKEN_MS / windowMs);
  const tooLarge = `must be at most ${largest} for a token-bucket with a window of ${spec.window}; write the same rate with a shorter window`;
  if (spec.limit > largest) faults.push({ path: ["limit"], message: `spec.limit ${tooLarge}` });
  for (const [index, { limit }] of (spec.overrides ?? []).entries())
    if (limit > largest)
      faults.push({
        path: ["overrides", index, "limit"],
        message: `spec.overrides[${index}].limit ${tooLarge}`,
      });
  return faults;
}
