// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { DEFAULT_DELIVERY } from "../../core/snapshot/build-handlers.ts";
import { mergeManifests } from "../../expressions/manifest/manifest.ts";
import type { AttributeBag } from "../../core/attributes/bag.ts";
import { DEFAULT_ROOT_NAMESPACE } from "../../core/documents/kinds/mesh-config.ts";
import { DEFAULT_LISTENER_LIMITS } from "../../core/traffic/listener-limits.ts";
import { DEFAULT_PATH_NORMALIZATION } from "../../kernel/canonical/path.ts";
import type { Expression } from "../../core/expressions/expression.ts";
import type { AdapterDefinition, AdapterHandler, PluginDefinition } from "../../core/hooks/extension.ts";
import type { QuotaDefinition } from "../../core/quota/quota-definition.ts";
import type { MaybePromise } from "../../kernel/maybe-promise.ts";
import { Type } from "../../plugins/sdk/index.ts";
import type {
  AccessPolicy,
  Computed,
  HandlerDeclaration,
  LogEntry,
  Metric,
  QuotaPolicy,
  Rule,
  RuleInstance,
  Snapshot,
  TraceSpan,
} from "../../core/snapshot/snapshot.ts";

/**
 * Builders of snapshots without document files, for tests of their consumers. Expressions are functions of
 * the bag.
 */

type Read = (bag: AttributeBag) => MaybePromise<unknown>;

export function expression(read: Read, { cacheable = true } = {}): Expression {
  return {
    source: String(read),
    engine: "compiled",
    references: { paths: [], exact: false },
    cacheable,
    evaluate: (bag, { reads }) => read(reads?.view ?? bag),
  };
}

export function computed(value: Read | string | number | boolean): Computed {
  return typeof value === "function"
    ? { kind: "expression", expression: expression(value) }
    : { kind: "literal", value };
}

/** Line of the next document: `location` determines the order of documents, so each builder adds one. */
let line = 0;
const place = () => ({ file: "test.yaml", line: ++line, column: 1 });

export function accessPolicy(name: string, fields: Partial<AccessPolicy> = {}): AccessPolicy {
  const none = { set: [], append: [], remove: [] };
  return {
    name,
    location: place(),
    spec: { action: fields.action ?? "DENY" },
    match: undefined,
    action: "DENY",
    when: undefined,
    status: { code: "PERMISSION_DENIED", message: undefined },
    headers: { request: none, response: none },
    directResponse: undefined,
    mode: "enforce",
    onError: "deny",
    validDurationMs: 10_000,
    validUseCount: 10_000,
    ...fields,
  };
}

export function quotaPolicy(
  name: string,
  fields: Partial<QuotaPolicy> & Partial<QuotaDefinition> = {},
): QuotaPolicy {
  const {
    algorithm = "fixed-window",
    windowMs = 60_000,
    align,
    period,
    leaseMs = 1_000,
    onStoreFailure = "local",
    giveBackOn,
    ...others
  } = fields;
  return {
    name,
    location: place(),
    spec: { limit: fields.limit ?? 10, window: "60s" },
    match: undefined,
    key: [],
    limit: 10,
    charge: computed(1),
    overrides: [],
    store: undefined,
    quota: {
      policy: name,
      algorithm,
      windowMs,
      ...(align === undefined ? {} : { align }),
      ...(period === undefined ? {} : { period }),
      leaseMs,
      onStoreFailure,
      ...(giveBackOn === undefined ? {} : { giveBackOn }),
    },
    beyond: [],
    message: undefined,
    mode: "enforce",
    onError: "deny",
    ...others,
  };
}

export function rule(name: string, handler: string, fields: Partial<Rule> = {}): Rule {
  const instances: RuleInstance[] = [{ name: "nothing", template: "checknothing", params: [] }];
  return {
    name,
    location: place(),
    spec: {
      instances: [{ name: "nothing", template: "checknothing" }],
      actions: [{ handler, instances: ["nothing"] }],
    },
    match: undefined,
    variety: "check",
    actions: [{ handler, instances }],
    mode: "enforce",
    onError: "deny",
    ...fields,
  };
}

export function metric(name: string, fields: Partial<Metric> = {}): Metric {
  return {
    name,
    location: place(),
    match: undefined,
    type: "counter",
    value: computed(1),
    labels: [],
    buckets: undefined,
    unit: undefined,
    help: undefined,
    handlers: ["backend"],
    ...fields,
  };
}

export function logEntry(name: string, fields: Partial<LogEntry> = {}): LogEntry {
  return {
    name,
    location: place(),
    match: undefined,
    severity: undefined,
    variables: [],
    handlers: ["backend"],
    ...fields,
  };
}

export function traceSpan(name: string, fields: Partial<TraceSpan> = {}): TraceSpan {
  return {
    name,
    location: place(),
    match: undefined,
    spanName: undefined,
    tags: [],
    handlers: ["backend"],
    ...fields,
  };
}

/** An adapter of all templates, as a handler document configures it. */
export function adapterDeclaration(
  name: string,
  build: AdapterDefinition["build"] | Partial<AdapterHandler>,
  fields: Partial<HandlerDeclaration> = {},
): HandlerDeclaration {
  const definition: AdapterDefinition = {
    extension: "adapter",
    name: "fake",
    description: "Fake.",
    templates: [
      "listentry",
      "checknothing",
      "headers",
      "authorization",
      "quota",
      "metric",
      "logentry",
      "tracespan",
      "decision",
    ],
    config: Type.Object({}),
    build: typeof build === "function" ? build : () => ({ close() {}, ...build }),
  };
  return declaration(name, definition, fields);
}

export function pluginDeclaration(
  name: string,
  build: PluginDefinition["build"],
  fields: Partial<HandlerDeclaration> = {},
): HandlerDeclaration {
  const definition: PluginDefinition = {
    extension: "plugin",
    name: "fake",
    description: "Fake.",
    templates: ["checknothing"],
    config: Type.Object({}),
    build,
  };
  return declaration(name, definition, fields);
}

function declaration(
  name: string,
  definition: HandlerDeclaration["definition"],
  fields: Partial<HandlerDeclaration>,
): HandlerDeclaration {
  return {
    name,
    location: place(),
    definition,
    config: {},
    signature: name,
    isolation: "none",
    delivery: DEFAULT_DELIVERY,
    ...fields,
  };
}

/** A snapshot with the documents in the order of their creation. */
export function snapshotOf(documents: Partial<Snapshot> = {}): Snapshot {
  const snapshot = {
    version: "v1",
    documents: [],
    attributes: mergeManifests([]).manifest,
    accessPolicies: [],
    quotaPolicies: [],
    metrics: [],
    logEntries: [],
    traceSpans: [],
    rules: [],
    handlers: [],
    traffic: {
      pathNormalization: DEFAULT_PATH_NORMALIZATION,
      limits: DEFAULT_LISTENER_LIMITS,
      rootNamespace: DEFAULT_ROOT_NAMESPACE,
      serviceEntries: [],
      workloadEntries: [],
      virtualServices: [],
      destinationRules: [],
      sidecars: [],
      gateways: [],
      overloads: [],
      healthChecks: [],
      peerAuthentications: [],
      trustDomains: ["cluster.local"] as const,
      requestAuthentications: [],
    },
    ...documents,
  };
  const summaries = [
    ...snapshot.accessPolicies.map((document) => ({ kind: "AccessPolicy", document })),
    ...snapshot.quotaPolicies.map((document) => ({ kind: "QuotaPolicy", document })),
    ...snapshot.metrics.map((document) => ({ kind: "Metric", document })),
    ...snapshot.rules.map((document) => ({ kind: "Rule", document })),
    ...snapshot.handlers.map((document) => ({ kind: "Handler", document })),
  ].map(({ kind, document: { name, location } }) => ({
    kind,
    namespace: "default",
    name,
    location,
    spec: {},
  }));
  return { ...snapshot, documents: summaries.sort((a, b) => a.location.line - b.location.line) };
}
