// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeForm } from "../../expressions/manifest/forms.ts";
import type { TSchema } from "typebox";
import type { SpecFault } from "../../kernel/diagnostic.ts";
import type { CallContext } from "../../kernel/deadline.ts";
import type { Clock, Logger, Random, Scheduler } from "../../kernel/ports.ts";
import type { MaybePromise } from "../../kernel/maybe-promise.ts";
import type { QuotaStore } from "../quota/quota.ts";
import type { QuotaView } from "../quota/quota-view.ts";
import type { ExposedFamily } from "../exposition/family.ts";
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
import type { TemplateName } from "../templates/template-names.ts";
import type { HandlerHooks } from "./hooks.ts";
import type { HttpClient } from "./http-client.ts";

/**
 * Extensions as values. Authors create them with `definePlugin` and `defineAdapter` from `purser/sdk`; the
 * host configures each as often as documents ask for it. A configured extension is a handler.
 */
export type Extension = AdapterDefinition | PluginDefinition;

/** One fault of a handler's configuration, at a path inside it. */
export type ConfigFault = SpecFault;

/** An adapter: implements templates for a backend. */
export interface AdapterDefinition<Config = unknown> {
  readonly extension: "adapter";
  /** A DNS label; a Handler document's `adapter` refers to it. */
  readonly name: string;
  readonly description: string;
  readonly templates: readonly TemplateName[];
  /**
   * Whether the backend needs a template's instances in order; default true. Without it, several batches may be under way.
   */
  readonly ordered?: boolean;
  /**
   * Whether its handlers begin nothing asynchronous but by `context.scheduler` and `context.files`: no timer,
   * socket or child process of their own; default false. The host then need not follow what their code
   * begins, which before Node.js 24 costs every request of the process 0.6 µs: an AsyncLocalStorage in use,
   * measured under full load.
   */
  readonly confined?: boolean;
  /** Schema of a Handler's `config`, with defaults. Unknown keys are refused. */
  readonly config: TSchema;
  /**
   * All faults of a configuration that satisfies the schema, with defaults filled in; default none. Called
   * when documents are read, so that `purser validate` reports the same faults as `purser run`. Must be pure:
   * no I/O, and always the same faults for the same configuration. Messages must not contain secrets.
   */
  check?(config: Config): readonly ConfigFault[];
  /**
   * Builds a handler. Must not do I/O: an unavailable backend must not prevent a configuration from taking
   * effect. May throw; the configuration is then refused.
   */
  build(context: ExtensionContext<Config>): AdapterHandler;
}

/** An attribute that a plugin adds, as an AttributeManifest would declare it. */
export interface ProvidedAttribute {
  readonly type: string;
  /**
   * The canonical form of its values (docs/reference/attributes.md); expressions that compare with other constants get
   * a warning.
   */
  readonly form?: AttributeForm;
  /** All values that the attribute can have, if they are few. */
  readonly values?: readonly string[];
  readonly description?: string;
}

/** A plugin: a named object that taps hooks in the processing of requests. */
export interface PluginDefinition<Config = unknown> {
  readonly extension: "plugin";
  readonly name: string;
  readonly description: string;
  /** The check templates whose instances the plugin answers; empty when it only taps other hooks. */
  readonly templates: readonly TemplateName[];
  readonly config: TSchema;
  /** See AdapterDefinition. */
  check?(config: Config): readonly ConfigFault[];
  /** The attributes that the plugin adds, so that expressions may name them. */
  readonly provides?: Readonly<Record<string, ProvidedAttribute>>;
  build(context: ExtensionContext<Config>): PluginHandler;
}

export interface PluginHandler {
  /** Taps hooks. Called again with fresh hooks for each snapshot during the handler's life. */
  apply(hooks: HandlerHooks): void;
  /** Ends everything that the handler began. Called once or more; nothing may be scheduled afterwards. */
  close(): MaybePromise<void>;
}

/**
 * The return value of a report function whose backend refused some instances of a batch: the others count as delivered. Refused ones
 * whose error is retryable are sent again, the rest are dropped.
 */
export interface PartialFailure {
  readonly refused: readonly RefusedInstance[];
}

export interface RefusedInstance {
  /** Position in the batch. */
  readonly index: number;
  /** A PurserError with `retryable: true` makes the host send this instance again. */
  readonly error: Error;
}

/** The outcome of a report function; it rejects when nothing of the batch arrived. */
export type ReportOutcome = void | PartialFailure;

/** A configured adapter, with one function for each of the adapter's templates. */
export interface AdapterHandler {
  readonly listentry?: (instance: ListEntryInstance, call: CallContext) => MaybePromise<CheckAnswer>;
  readonly checknothing?: (instance: CheckNothingInstance, call: CallContext) => MaybePromise<CheckAnswer>;
  readonly headers?: (instance: HeadersInstance, call: CallContext) => MaybePromise<CheckAnswer>;
  readonly authorization?: (instance: AuthorizationInstance, call: CallContext) => MaybePromise<CheckAnswer>;
  readonly quota?: QuotaStore["allocate"];
  /** Beside `quota`: lists and resets counts for operators. Without it, they cannot be listed or reset. */
  readonly quotaView?: QuotaView;
  /**
   * Takes a batch. Rejecting with a retryable PurserError makes the host retry the same batch, after `details.retryAfterMs` when the
   * error has it; with PURSER_REQUEST_TOO_LARGE, its halves.
   */
  readonly metric?: (instances: readonly MetricInstance[], call: CallContext) => MaybePromise<ReportOutcome>;
  readonly logentry?: (
    instances: readonly LogEntryInstance[],
    call: CallContext,
  ) => MaybePromise<ReportOutcome>;
  readonly tracespan?: (
    instances: readonly TraceSpanInstance[],
    call: CallContext,
  ) => MaybePromise<ReportOutcome>;
  readonly decision?: (
    instances: readonly DecisionInstance[],
    call: CallContext,
  ) => MaybePromise<ReportOutcome>;
  /**
   * The key in whose order an instance must arrive: instances of one key are sent one after the other, those of different keys
   * several at a time. Default: all instances of a template in one order.
   */
  readonly orderKey?: (template: TemplateName, instance: unknown) => string;
  /**
   * Metrics to serve at the mixer's /metrics: families, whose series are read a part at a time while the page is sent; or all of
   * them as Prometheus text 0.0.4.
   */
  readonly exposition?: () => MaybePromise<string | Iterable<ExposedFamily>>;
  /** Whether the backend is available; called by health reports, never while a request waits. */
  readonly healthy?: () => MaybePromise<boolean>;
  close(): MaybePromise<void>;
}

/** Everything that the host gives an extension; logs and metrics carry the handler's name already. */
export interface ExtensionContext<Config> {
  /** The handler's display name. */
  readonly handler: string;
  /** Checked against the definition's schema, defaults filled in. */
  readonly config: Config;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: Random;
  /** Tasks that are still scheduled after close are reported as a leak and cancelled by the host. */
  readonly scheduler: Scheduler;
  readonly files: Files;
  /** Ends with the handler, after its close(). */
  readonly http: HttpClient;
}

/** Files named in a handler's configuration, relative to the document. */
export interface Files {
  /**
   * Calls `listener` with the file's text now and after each change, until cancelled; `onError` when it
   * cannot be read.
   */
  watch(path: string, listener: (text: string) => void, onError: (error: Error) => void): () => void;
}

/** The extensions that documents may configure, by name. */
export interface ExtensionInventory {
  readonly adapters: ReadonlyMap<string, AdapterDefinition>;
  readonly plugins: ReadonlyMap<string, PluginDefinition>;
}
