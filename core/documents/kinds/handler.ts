// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import { parseDurationMs } from "../../../kernel/duration.ts";
import { Closed, Duration, ExpressionOrLiteral, Match, Mode, OnError, Reference } from "./fields.ts";
import type { KindDefinition } from "./kind.ts";
import type { SpecFault } from "../../../kernel/diagnostic.ts";

const Delivery = Closed(
  {
    batchSize: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 10_000,
        description: "Most instances in one call; default 100.",
      }),
    ),
    linger: Type.Optional(Duration("How long an incomplete batch waits; default 1s.")),
    queueSize: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000_000,
        description:
          "Most instances in the queue; when it is full, the oldest are dropped and counted; default 10000.",
      }),
    ),
    attempts: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 20,
        description: "Most attempts for a batch that fails with a retryable error; default 4.",
      }),
    ),
    timeout: Type.Optional(
      Duration("The deadline of one call; default 5s. At most 500ms while a request waits for the answer."),
    ),
  },
  { description: "Batching and retries of telemetry; for handlers of report templates." },
);

const HandlerSpec = Closed({
  adapter: Type.Optional(
    Type.String({ description: "The adapter that this handler configures. Either adapter or plugin." }),
  ),
  plugin: Type.Optional(
    Type.String({ description: "The plugin that this handler configures. Either adapter or plugin." }),
  ),
  from: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        "The module that exports the adapter or plugin, unless it is bundled with Purser: a package name, or a path from this file.",
    }),
  ),
  config: Type.Optional(
    Type.Record(Type.String(), Type.Unknown(), {
      description: "The adapter's or plugin's own configuration.",
    }),
  ),
  delivery: Type.Optional(Delivery),
});

export type HandlerSpec = Static<typeof HandlerSpec>;

export const HANDLER = {
  kind: "Handler",
  apiVersions: ["purser.dev/v1"],
  description: "An adapter or a plugin, configured.",
  spec: HandlerSpec,
  check: checkHandler,
} as const satisfies KindDefinition;

function checkHandler({ adapter, plugin, delivery }: HandlerSpec): readonly SpecFault[] {
  const faults: SpecFault[] = [];
  if (adapter === undefined && plugin === undefined)
    faults.push({ path: [], message: "spec must name an adapter or a plugin" });
  if (adapter !== undefined && plugin !== undefined)
    faults.push({ path: ["plugin"], message: "spec must name an adapter or a plugin, not both" });
  if (plugin !== undefined && delivery !== undefined)
    faults.push({
      path: ["delivery"],
      message: "spec.delivery is for adapters: nothing is delivered to a plugin",
    });
  if (delivery?.timeout !== undefined && parseDurationMs(delivery.timeout) === 0)
    faults.push({ path: ["delivery", "timeout"], message: "spec.delivery.timeout must be more than 0s" });
  return faults;
}

const RuleSpec = Closed({
  match: Match("response"),
  instances: Type.Array(
    Closed({
      name: Type.String({ minLength: 1 }),
      template: Type.String({
        minLength: 1,
        description: "The template to fill: listentry, checknothing, headers, metric, logentry, decision, …",
      }),
      params: Type.Optional(
        Type.Record(
          Type.String(),
          Type.Union([
            ExpressionOrLiteral("response", "A field of the template."),
            Type.Record(Type.String(), ExpressionOrLiteral("response", "An entry of a map field.")),
          ]),
          {
            description: "The template's fields as expressions.",
          },
        ),
      ),
    }),
    { minItems: 1 },
  ),
  actions: Type.Array(
    Closed({
      handler: Reference("Handler", "The Handler that acts."),
      instances: Type.Array(Type.String(), { minItems: 1, description: "Names of this rule's instances." }),
    }),
    { minItems: 1 },
  ),
  mode: Mode(),
  onError: OnError(),
});

export type RuleSpec = Static<typeof RuleSpec>;

export const RULE = {
  kind: "Rule",
  apiVersions: ["purser.dev/v1"],
  description: "Mixer's long form: for matching requests, fills instances and passes them to handlers.",
  spec: RuleSpec,
  check: checkRule,
} as const satisfies KindDefinition;

function checkRule({ instances }: RuleSpec): readonly SpecFault[] {
  return instances.flatMap(({ name }, index) =>
    instances.findIndex((other) => other.name === name) < index
      ? [{ path: ["instances", index, "name"], message: `Two instances are named ${JSON.stringify(name)}` }]
      : [],
  );
}
