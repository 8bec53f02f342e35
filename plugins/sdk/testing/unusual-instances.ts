// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag } from "../../../core/attributes/bag.ts";
import type { TemplateName } from "../../../core/templates/template-names.ts";
import {
  AUTHORIZATION,
  decisionInstance,
  logEntryInstance,
  metricInstance,
  quotaRequest,
  SAMPLE_MS,
  traceSpanInstance,
} from "./sample-instances.ts";

/** Number of distinct label sets in one batch. */
const MANY_LABEL_SETS = 10_000;
const HUGE = "x".repeat(1_000_000);
const UNICODE = 'Zoë 🛳️ \u202Eשלום\u0000\ud800\n"\\';

type Unusual = () => readonly (readonly [what: string, argument: unknown])[];

/** Arguments that a careless document or a malicious client can produce, each with a description. */
export const UNUSUAL_INSTANCES: Readonly<Record<TemplateName, Unusual>> = {
  listentry: () => [
    ["an absent value", { name: "client", value: undefined }],
    ["an empty value", { name: "client", value: "" }],
    ["a huge value", { name: "client", value: HUGE }],
    ["unusual characters", { name: UNICODE, value: UNICODE }],
  ],
  checknothing: () => [["unusual characters", { name: UNICODE }]],
  headers: () => [
    ["no values", { name: "headers", values: {} }],
    ["absent values", { name: "headers", values: { user: undefined } }],
    ["line breaks", { name: "headers", values: { user: "a\r\nx-admin: true" } }],
    ["huge and unusual values", { name: UNICODE, values: { user: HUGE, [UNICODE]: UNICODE } }],
  ],
  authorization: () => [
    ["nobody", { subject: { properties: {} }, action: { properties: {} } }],
    [
      "unusual characters",
      { ...AUTHORIZATION, subject: { user: UNICODE, properties: { [UNICODE]: UNICODE } } },
    ],
    ["a huge path", { ...AUTHORIZATION, action: { path: HUGE, properties: {} } }],
  ],
  quota: () => [
    ["an empty batch", []],
    ["an amount of nothing", [quotaRequest({ amount: 0 })]],
    ["giving back more than was granted", [quotaRequest({ amount: -5, slot: 0 })]],
    ["more than the limit", [quotaRequest({ amount: 1e9 }), quotaRequest({ amount: 1e9, bestEffort: true })]],
    ["unusual characters", [quotaRequest({ cell: UNICODE })]],
  ],
  metric: () => [
    ["an empty batch", []],
    [
      `${MANY_LABEL_SETS} distinct label sets`,
      Array.from({ length: MANY_LABEL_SETS }, (_, index) =>
        metricInstance({ labels: { user: `user-${index}` } }),
      ),
    ],
    [
      "unusual numbers",
      [Number.NaN, Number.POSITIVE_INFINITY, -1, -0].map((value) => metricInstance({ value })),
    ],
    [
      "unusual characters",
      [
        metricInstance({
          name: UNICODE,
          help: UNICODE,
          unit: UNICODE,
          labels: { [UNICODE]: UNICODE, "": "" },
        }),
      ],
    ],
    ["a huge label", [metricInstance({ labels: { path: HUGE } })]],
    ["a name that changes its type", [metricInstance(), metricInstance({ type: "gauge" })]],
    [
      "a name that changes its labels",
      [metricInstance(), metricInstance({ labels: { other: "x" } }), metricInstance({ labels: {} })],
    ],
    ["a histogram without buckets", [metricInstance({ name: "sizes", type: "histogram" })]],
  ],
  logentry: () => [
    ["an empty batch", []],
    ["values that JSON cannot represent", [logEntryInstance({ variables: unwritable() })]],
    ["unusual characters", [logEntryInstance({ name: UNICODE, variables: { [UNICODE]: UNICODE } })]],
    ["a huge variable", [logEntryInstance({ variables: { body: HUGE } })]],
    ["an impossible time", [logEntryInstance({ timestampMs: Number.NaN })]],
  ],
  tracespan: () => [
    ["an empty batch", []],
    ["a span that ends before it begins", [traceSpanInstance({ startMs: SAMPLE_MS, endMs: SAMPLE_MS - 1 })]],
    ["values that JSON cannot represent", [traceSpanInstance({ tags: unwritable() })]],
    [
      "unusual characters",
      [traceSpanInstance({ spanName: UNICODE, traceId: "not hex", tags: { [UNICODE]: 1 } })],
    ],
    ["an impossible time", [traceSpanInstance({ startMs: Number.NaN, endMs: Number.NaN })]],
  ],
  decision: () => [
    ["an empty batch", []],
    ["an empty bag", [decisionInstance({ bag: {} })]],
    ["values that JSON cannot represent", [decisionInstance({ bag: unwritable() as AttributeBag })]],
    [
      "unusual characters",
      [decisionInstance({ name: UNICODE, bag: { request: { headers: { [UNICODE]: UNICODE } } } })],
    ],
    ["a huge attribute", [decisionInstance({ bag: { request: { id: HUGE, headers: { [HUGE]: HUGE } } } })]],
    ["an impossible time", [decisionInstance({ timestampMs: Number.NaN })]],
  ],
};

function unwritable(): Readonly<Record<string, unknown>> {
  const circle: Record<string, unknown> = { big: 1n, nothing: undefined, symbol: Symbol("s"), run: () => 1 };
  circle["self"] = circle;
  circle["when"] = new Date(Number.NaN);
  return circle;
}
