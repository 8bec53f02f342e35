// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeValue } from "../attributes/bag.ts";
import { canonicalText } from "../../expressions/data.ts";
import type { SourceLocation } from "../../kernel/diagnostic.ts";
import type { ResolvedHandler } from "../documents/set/handlers.ts";
import { DEFAULT_BATCH_SIZE, type HandlerSpec, type RuleSpec } from "../documents/kinds/handler.ts";
import { ruleVariety } from "../documents/set/rules.ts";
import type { TemplateName } from "../templates/template-names.ts";
import type { Fields } from "./fields.ts";
import type { WrittenDocument } from "./policy-document.ts";
import type {
  ComputedMap,
  HandlerDeclaration,
  HandlerDeliverySettings,
  Rule,
  RuleInstance,
  Unplaced,
} from "./snapshot.ts";

/**
 * OpenTelemetry's and Envoy's exporters batch for 1 s to 5 s. On one core of an AMD EPYC, a call with 1000 log entries held the event
 * loop for 11 ms with the adapter kafka, which then sent the most entries a second; one with 2000 held it for 27 ms, and up to 118 ms.
 */
export const DEFAULT_DELIVERY: HandlerDeliverySettings = {
  class: "at-most-once",
  batchSize: DEFAULT_BATCH_SIZE,
  maxBatchSize: 1_000,
  lingerMs: 1_000,
  queueSize: 10_000,
  overflow: "drop-oldest",
  attempts: 4,
  inFlight: 4,
  timeoutMs: 5_000,
};

const DEFAULT_SPOOL = { maxBytes: 256 * 1024 * 1024, fsync: "interval", onDiskFailure: "memory" } as const;

export function buildHandler(
  { name: handlerName, spec }: WrittenDocument<HandlerSpec>,
  { definition, config }: ResolvedHandler,
  { file }: SourceLocation,
  fields: Fields,
): Unplaced<HandlerDeclaration> {
  const { linger, timeout, spool, ...others } = spec.delivery ?? {};
  const delivery: HandlerDeliverySettings = {
    ...DEFAULT_DELIVERY,
    // A user who wrote batchSize may have written the most that the backend takes.
    ...(others.batchSize === undefined ? {} : { maxBatchSize: others.batchSize }),
    ...others,
    ...(others.class === "at-least-once" ? { attempts: Number.POSITIVE_INFINITY } : {}),
    ...(spool === undefined ? {} : { spool: { ...DEFAULT_SPOOL, ...spool } }),
    lingerMs: fields.durationMs(linger, DEFAULT_DELIVERY.lingerMs),
    timeoutMs: fields.durationMs(timeout, DEFAULT_DELIVERY.timeoutMs),
  };
  const { extension, name } = definition;
  // The signature includes the folder: `from` and files in a config are relative to it.
  const folder = file.replace(/[^/]*$/, "");
  const signature = canonicalText({
    extension,
    name,
    from: spec.from,
    folder,
    config: config as AttributeValue,
    isolation: spec.isolation,
    // An infinite number has no canonical text; the class says it.
    delivery: { ...(delivery as object), attempts: spec.delivery?.attempts ?? DEFAULT_DELIVERY.attempts },
  });
  const { from, isolation = "none" } = spec;
  const origin = from === undefined ? {} : { from };
  return { name: handlerName, definition, ...origin, config, isolation, signature, delivery };
}

export function buildRule(
  { name, spec, authorization }: WrittenDocument<RuleSpec>,
  fields: Fields,
): Unplaced<Rule> {
  const instances = new Map(
    spec.instances.map((instance) => [instance.name, buildInstance(instance, fields)]),
  );
  return {
    ...(authorization === undefined ? {} : { authorization }),
    name,
    spec,
    match: fields.optional(spec.match),
    variety: ruleVariety(spec),
    actions: spec.actions.map((action) => ({
      handler: fields.handler(action.handler),
      instances: action.instances.map((name) => instances.get(name) as RuleInstance),
    })),
    mode: spec.mode ?? "enforce",
    onError: spec.onError ?? "deny",
  };
}

function buildInstance(
  { name, template, params = {} }: RuleSpec["instances"][number],
  fields: Fields,
): RuleInstance {
  return {
    name,
    template: template as TemplateName,
    params: Object.entries(params).map(
      ([field, written]) =>
        [
          field,
          typeof written === "object" ? (fields.map(written) as ComputedMap) : fields.computed(written),
        ] as const,
    ),
  };
}
