// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeForm } from "../../expressions/manifest/forms.ts";
import type { TSchema } from "typebox";
import type { SpecFault } from "../documents/kinds/kind.ts";
import type { CallContext } from "../../kernel/deadline.ts";
import type { Clock, Logger, Random, Scheduler } from "../../kernel/ports.ts";
import type { MaybePromise } from "../../kernel/maybe-promise.ts";
import type { QuotaStore } from "../quota/quota.ts";
import type {
  AuthorizationInstance,
  CheckAnswer,
  CheckNothingInstance,
  DecisionInstance,
  HeadersInstance,
  ListEntryInstance,
  LogEntryInstance,
  MetricInstance,
  TraceSpanInstance,
} from "../templates/instances.ts";
import type { HandlerHooks } from "./hooks.ts";

/**
 * What extensions are, as values. Authors make them with `definePlugin` and `defineAdapter` from `purser/sdk`; the host
 * configures each as often as documents ask for it. A configured one is a handler.
 */
export type Extension = AdapterDefinition | PluginDefinition;

/** One fault of a handler's configuration, at a path inside it. */
export type ConfigFault = SpecFault;

/** Where instances go: implements templates for a backend. */
export interface AdapterDefinition<Config = unknown> {
  readonly extension: "adapter";
  /** A DNS label; what a Handler document's `adapter` says. */
  readonly name: string;
  readonly description: string;
  readonly templates: readonly TemplateName[];
  /** The form of a Handler's `config`, with defaults. Unknown keys are refused. */
  readonly config: TSchema;
  /**
   * Every fault of a configuration that fits the schema, defaults filled in; default none. It is asked when documents are read,
   * so that `purser validate` says what `purser run` would. Pure: it does no I/O, and the same configuration always has the same
   * faults. Messages name no secret.
   */
  check?(config: Config): readonly ConfigFault[];
  /**
   * Makes a handler. Does no I/O of its own accord: a backend that is away must not stop a configuration from taking
   * effect. May throw; the configuration is then refused.
   */
  build(context: ExtensionContext<Config>): AdapterHandler;
}

/** An attribute that a plugin adds, as an AttributeManifest would declare it. */
export interface ProvidedAttribute {
  readonly type: string;
  /** The canonical form of its values (docs/attributes.md), so that constants which it never has are warned of. */
  readonly form?: AttributeForm;
  /** The only texts that it can be. */
  readonly values?: readonly string[];
  readonly description?: string;
}

/** What happens on the way: a named object that taps hooks. */
export interface PluginDefinition<Config = unknown> {
  readonly extension: "plugin";
  readonly name: string;
  readonly description: string;
  /** The check templates whose instances it answers; empty when it only taps other hooks. */
  readonly templates: readonly TemplateName[];
  readonly config: TSchema;
  /** See AdapterDefinition. */
  check?(config: Config): readonly ConfigFault[];
  /** The attributes it adds, so that expressions may name them. */
  readonly provides?: Readonly<Record<string, ProvidedAttribute>>;
  build(context: ExtensionContext<Config>): PluginHandler;
}

export interface PluginHandler {
  /** Taps hooks; called again, with fresh hooks, for each snapshot that the handler lives through. */
  apply(hooks: HandlerHooks): void;
  /** Ends everything the handler began. Called once or more; nothing may be scheduled afterwards. */
  close(): MaybePromise<void>;
}

/** One function for each template that the adapter names. */
export interface AdapterHandler {
  readonly listentry?: (instance: ListEntryInstance, call: CallContext) => MaybePromise<CheckAnswer>;
  readonly checknothing?: (instance: CheckNothingInstance, call: CallContext) => MaybePromise<CheckAnswer>;
  readonly headers?: (instance: HeadersInstance, call: CallContext) => MaybePromise<CheckAnswer>;
  readonly authorization?: (instance: AuthorizationInstance, call: CallContext) => MaybePromise<CheckAnswer>;
  readonly quota?: QuotaStore["allocate"];
  /** A batch; rejecting with a retryable PurserError makes the host try the same batch again. */
  readonly metric?: (instances: readonly MetricInstance[], call: CallContext) => MaybePromise<void>;
  readonly logentry?: (instances: readonly LogEntryInstance[], call: CallContext) => MaybePromise<void>;
  readonly tracespan?: (instances: readonly TraceSpanInstance[], call: CallContext) => MaybePromise<void>;
  readonly decision?: (instances: readonly DecisionInstance[], call: CallContext) => MaybePromise<void>;
  /** Prometheus text to serve at the mixer's /metrics. */
  readonly exposition?: () => MaybePromise<string>;
  /** Whether the backend answers; asked by health reports, never on a request's way. */
  readonly healthy?: () => MaybePromise<boolean>;
  close(): MaybePromise<void>;
}

/** An extension's whole world. Everything carries the handler's name already. */
export interface ExtensionContext<Config> {
  /** The handler's display name. */
  readonly handler: string;
  /** Checked against the definition's schema, defaults filled in. */
  readonly config: Config;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: Random;
  /** What is scheduled here and not cancelled at close is reported as a leak and cancelled by the host. */
  readonly scheduler: Scheduler;
  readonly files: Files;
}

/** Files that a handler's configuration names, relative to the document that names them. */
export interface Files {
  /**
   * Calls `listener` with the file's text now and after each change, until cancelled; `onError` when it cannot be read.
   */
  watch(path: string, listener: (text: string) => void, onError: (error: Error) => void): () => void;
}

export const TEMPLATE_NAMES = [
  "listentry",
  "checknothing",
  "headers",
  "authorization",
  "quota",
  "metric",
  "logentry",
  "tracespan",
  "decision",
] as const;

export type TemplateName = (typeof TEMPLATE_NAMES)[number];

/** When a template's instances are made, and what is done with the answer. */
export const TEMPLATE_VARIETY = {
  listentry: "check",
  checknothing: "check",
  headers: "check",
  authorization: "check",
  quota: "quota",
  metric: "report",
  logentry: "report",
  tracespan: "report",
  decision: "report",
} as const satisfies Readonly<Record<TemplateName, "check" | "quota" | "report">>;

/** The extensions that documents may configure, by name. */
export interface ExtensionInventory {
  readonly adapters: ReadonlyMap<string, AdapterDefinition>;
  readonly plugins: ReadonlyMap<string, PluginDefinition>;
}
