// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import { MapOf } from "./map-of.ts";
import { parseDurationMs } from "../../../kernel/duration.ts";
import { Choice, Closed, Duration, ExpressionOrLiteral, Match, Mode, OnError, Reference } from "./fields.ts";
import type { KindDefinition } from "./kind.ts";
import type { SpecFault } from "../../../kernel/diagnostic.ts";

const Spool = Closed(
  {
    directory: Type.String({
      minLength: 1,
      description:
        "The folder for the files, from the document's own folder. Each handler and template has a folder of its own in it; one process uses it at a time.",
    }),
    maxBytes: Type.Optional(
      Type.Integer({
        minimum: 1_048_576,
        maximum: 1_099_511_627_776,
        description:
          "Most bytes on disk for each template; beyond them the overflow rule drops instances. Default 268435456 (256 MiB).",
      }),
    ),
    fsync: Type.Optional(
      Choice(
        ["interval", "always"],
        "When writes are forced to the disk: once a second, which costs at most that second when the power fails; or before a report is acknowledged. A process that is killed loses nothing either way. Default interval.",
      ),
    ),
    onDiskFailure: Type.Optional(
      Choice(
        ["memory", "drop"],
        "While the disk refuses writes, instances wait in memory, up to queueSize and until the process ends; or they are dropped and counted as unwritable. Default memory.",
      ),
    ),
  },
  { description: "The files of a queue on disk." },
);

/** 100 instances keep a call small. */
export const DEFAULT_BATCH_SIZE = 100;

const Delivery = Closed(
  {
    class: Type.Optional(
      Choice(
        ["at-most-once", "at-least-once"],
        "at-most-once: instances wait in memory, and are lost with the process. at-least-once: they wait in a spool on disk until the backend has accepted or refused them, whatever happens to the process. Default at-most-once.",
      ),
    ),
    batchSize: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 10_000,
        description: `Most instances in one call while the backend keeps up; default ${DEFAULT_BATCH_SIZE}.`,
      }),
    ),
    maxBatchSize: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 10_000,
        description:
          "Most instances in one call while more than batchSize wait: calls grow up to this number and some 1 MiB of JSON, unless batchBytes is written, as long as they take a quarter of timeout at most. Default 1000, or batchSize where that is written.",
      }),
    ),
    batchBytes: Type.Optional(
      Type.Integer({
        minimum: 1_024,
        maximum: 1_073_741_824,
        description:
          "Most bytes in one call, measured as the JSON of the instances; a larger instance goes alone. Default unlimited.",
      }),
    ),
    linger: Type.Optional(Duration("How long an incomplete batch waits; default 1s.")),
    queueSize: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000_000,
        description: "Most instances that wait in memory; default 10000.",
      }),
    ),
    overflow: Type.Optional(
      Choice(
        ["drop-oldest", "drop-newest", "spill"],
        "What happens when the queue is full: the oldest or the newest instances are dropped and counted; or, with at-most-once, further instances wait in the spool. Default drop-oldest.",
      ),
    ),
    spool: Type.Optional(Spool),
    attempts: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 20,
        description:
          "Most attempts for a batch that fails with a retryable error; default 4. With at-least-once there is no limit.",
      }),
    ),
    inFlight: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 64,
        description:
          "Most calls under way at a time, for an adapter whose backend needs no order, or an order for each key only; default 4 for these, and always 1 for others.",
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
    MapOf(Type.Unknown(), {
      description: "The adapter's or plugin's own configuration.",
    }),
  ),
  isolation: Type.Optional(
    Choice(
      ["none", "thread"],
      "none: the adapter's code runs in the mixer's own thread. thread: in a thread of its own, where it can neither block nor end the mixer; each call costs a copy of its instances. Default none.",
    ),
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

function checkHandler({ adapter, plugin, delivery, isolation }: HandlerSpec): readonly SpecFault[] {
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
  if (plugin !== undefined && isolation === "thread")
    faults.push({
      path: ["isolation"],
      message: "spec.isolation thread is for adapters: a plugin acts while a request is processed",
    });
  if (delivery?.timeout !== undefined && parseDurationMs(delivery.timeout) === 0)
    faults.push({ path: ["delivery", "timeout"], message: "spec.delivery.timeout must be more than 0s" });
  return [...faults, ...checkDelivery(delivery ?? {})];
}

function checkDelivery(delivery: NonNullable<HandlerSpec["delivery"]>): readonly SpecFault[] {
  const { class: deliveryClass, overflow, spool, attempts, batchSize, maxBatchSize } = delivery;
  const durable = deliveryClass === "at-least-once";
  const faults: SpecFault[] = [];
  const fault = (field: string, message: string): void =>
    void faults.push({ path: ["delivery", field], message: `spec.delivery.${message}` });
  if (durable && spool === undefined) fault("class", "class at-least-once needs spec.delivery.spool");
  if (overflow === "spill" && spool === undefined)
    fault("overflow", "overflow spill needs spec.delivery.spool");
  if (durable && overflow === "spill")
    fault(
      "overflow",
      "overflow spill is for at-most-once: with at-least-once every instance is in the spool",
    );
  if (spool !== undefined && !durable && overflow !== "spill")
    fault("spool", "spool is used by class at-least-once and by overflow spill only");
  if (maxBatchSize !== undefined && maxBatchSize < (batchSize ?? DEFAULT_BATCH_SIZE))
    fault("maxBatchSize", `maxBatchSize must be batchSize, ${batchSize ?? DEFAULT_BATCH_SIZE}, at least`);
  if (durable && attempts !== undefined)
    fault("attempts", "attempts is for at-most-once: with at-least-once a batch is tried until it arrives");
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
        MapOf(
          Type.Union([
            ExpressionOrLiteral("response", "A field of the template."),
            MapOf(ExpressionOrLiteral("response", "An entry of a map field.")),
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
