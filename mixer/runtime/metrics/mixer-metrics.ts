// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { RefusalReason } from "../../../core/attributes/added-attributes.ts";
import type { BeyondEvent } from "../../../core/quota/beyond/beyond-event.ts";
import type { QuotaOutcome } from "../../../core/quota/quota-charge.ts";
import type { DocumentRef } from "../../../core/check/document-ref.ts";
import type { DocumentOutcome } from "../../../core/check/ports.ts";
import { Tally } from "./tally.ts";
import { attempt, chain, type MaybePromise } from "../../../kernel/maybe-promise.ts";
import type { MemoryQuotaStore } from "../../../core/quota/memory-store.ts";
import type { Clock } from "../../../kernel/ports.ts";
import type { DeliveryEvents } from "../../../delivery/events.ts";
import { addProcessMetrics } from "../../../server/process-metrics.ts";
import { DeliveryMetrics, type NamedDelivery } from "./delivery-metrics.ts";

/**
 * Buckets in seconds: Mixer's own bounds for dispatches (0.1 ms to 10 s), with finer steps for synchronous
 * answers.
 */
const DURATION_BUCKETS = [
  0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 10,
];

/** The mixer's own metrics, in a registry of its own. */
export class MixerMetrics {
  readonly registry = new Registry();
  readonly #clock: Clock;

  readonly #checks = new Tally(this.registry, "purser_mixer_checks_total", "Checks decided.", [
    "code",
    "reason",
  ]);
  readonly #checkSeconds = new Histogram({
    name: "purser_mixer_check_duration_seconds",
    help: "From a check's arrival to its answer, quotas included.",
    buckets: DURATION_BUCKETS,
    registers: [this.registry],
  });
  readonly #decisions = new Tally(
    this.registry,
    "purser_mixer_policy_decisions_total",
    "What each document said of the requests that the mixer was asked about; see docs/reference/api.md for the outcomes.",
    ["kind", "policy", "outcome"],
  );
  readonly #denials = this.#counter("purser_policy_denials_total", "Requests that a document refused.", [
    "kind",
    "policy",
  ]);
  readonly #shadowDenials = this.#counter(
    "purser_policy_shadow_denials_total",
    "Requests that a document in shadow mode would have refused.",
    ["kind", "policy"],
  );
  readonly #audits = this.#counter("purser_policy_audits_total", "Requests that an AUDIT policy noted.", [
    "kind",
    "policy",
  ]);
  readonly #faults = this.#counter(
    "purser_mixer_evaluation_errors_total",
    "Failures while a document was evaluated, by document.",
    ["kind", "name", "code"],
  );
  readonly #refusedAttributes = this.#counter(
    "purser_mixer_attributes_refused_total",
    "Attributes of plugins that were left out: undeclared, or of another type than declared.",
    ["handler", "reason"],
  );
  readonly #quotas = new Tally(
    this.registry,
    "purser_mixer_quota_outcomes_total",
    "Amounts asked of quotas: granted, partly granted, refused, given back because another was refused, or decided by onStoreFailure.",
    ["policy", "outcome"],
  );
  readonly #beyond = this.#counter(
    "purser_mixer_quota_beyond_total",
    "Steps that requests took beyond a quota's limit, by the quota and the effect: queued, timed out, drawn or degraded.",
    ["policy", "effect"],
  );
  readonly #dispatchSeconds = new Histogram({
    name: "purser_mixer_dispatch_duration_seconds",
    help: "Calls of handlers on the way of a check.",
    labelNames: ["handler", "template", "outcome"] as const,
    buckets: DURATION_BUCKETS,
    registers: [this.registry],
  });
  readonly #bags = this.#counter("purser_mixer_report_bags_total", "Bags reported to the mixer.", []);
  readonly #repeats = this.#counter(
    "purser_mixer_report_repeats_total",
    "Reports sent again that this mixer had taken already: they are not counted twice.",
    [],
  );
  readonly #delivery: DeliveryMetrics;
  readonly #config = new Gauge({
    name: "purser_mixer_config_info",
    help: "1 for the configuration in force.",
    labelNames: ["version"] as const,
    registers: [this.registry],
  });
  readonly #documents = new Gauge({
    name: "purser_mixer_config_documents",
    help: "Documents in force, by kind.",
    labelNames: ["kind"] as const,
    registers: [this.registry],
  });
  readonly #reloads = this.#counter(
    "purser_mixer_config_reloads_total",
    "Configurations applied and rejected.",
    ["result"],
  );
  readonly #stale = new Gauge({
    name: "purser_mixer_config_stale",
    help: "1 while the newest configuration is refused and an older one goes on.",
    registers: [this.registry],
  });
  readonly #handlers = this.#counter("purser_mixer_handlers_total", "Handlers new, reused and closed.", [
    "event",
  ]);
  readonly #leaks = this.#counter(
    "purser_mixer_handler_leaks_total",
    "Tasks that a handler left scheduled when it was closed.",
    ["handler"],
  );
  readonly #handlerFaults = this.#counter(
    "purser_mixer_handler_faults_total",
    "Faults of a handler's code beside its answers: exception, rejection, unsettled, blocked.",
    ["handler", "kind"],
  );
  readonly #leftOut = this.#counter(
    "purser_mixer_exposition_left_out_total",
    "Samples left out of /metrics, because an earlier handler has their series, or because they cannot be read.",
    ["handler"],
  );

  constructor(clock: Clock, queues: () => Iterable<NamedDelivery>) {
    this.#clock = clock;
    this.#delivery = new DeliveryMetrics(this.registry, queues);
    addProcessMetrics(this.registry);
  }

  /** Exports how full the in-process stores are. */
  watchCounts(stores: Readonly<Record<string, MemoryQuotaStore>>): void {
    const labelNames = ["store"] as const;
    const counts = new Gauge({
      name: "purser_mixer_quota_counts",
      help: "Quota counts in this process's memory.",
      labelNames,
      registers: [this.registry],
      collect: () => {
        for (const [store, { statistics }] of Object.entries(stores)) counts.set({ store }, statistics.cells);
      },
    });
    const shared = new Counter({
      name: "purser_mixer_quota_shared_total",
      help: "Quota requests counted in a count that several keys share, because their policy has as many as it may.",
      labelNames,
      registers: [this.registry],
      collect: () => {
        shared.reset();
        for (const [store, { statistics }] of Object.entries(stores))
          shared.inc({ store }, statistics.shared);
      },
    });
  }

  /** `unmatched` is not counted, since it says nothing about the document. */
  outcome({ kind, name }: DocumentRef, outcome: DocumentOutcome): void {
    if (outcome !== "unmatched") this.#decisions.add(kind, name, outcome);
  }

  fault({ kind, name }: DocumentRef, code: string): void {
    this.#faults.inc({ kind, name, code });
  }

  attributeRefused(handler: string, reason: RefusalReason): void {
    this.#refusedAttributes.inc({ handler, reason });
  }

  checked(code: string, reason: string, startMs: number): void {
    this.#checks.add(code, reason);
    this.#checkSeconds.observe((this.#clock.monotonicMs() - startMs) / 1000);
  }

  /** Counts each request once: at its check, or at its report when the proxy decided without a check. */
  noted({ denials = [], shadowDenials = [], audits = [] }: NotedDocuments): void {
    for (const { kind, name } of denials) this.#denials.inc({ kind, policy: name });
    for (const { kind, name } of shadowDenials) this.#shadowDenials.inc({ kind, policy: name });
    for (const { kind, name } of audits) this.#audits.inc({ kind, policy: name });
  }

  quota(outcome: QuotaOutcome, asked: number): void {
    this.#quotas.add(outcome.policy, wordFor(outcome, asked));
  }

  /** Counts a step beyond a limit: at the check of a caller that takes none itself, otherwise at the report. */
  beyond({ policy, effect }: BeyondEvent): void {
    this.#beyond.inc({ policy, effect });
  }

  measureDispatch<T>(handler: string, template: string, work: () => MaybePromise<T>): MaybePromise<T> {
    const startMs = this.#clock.monotonicMs();
    const observe = (outcome: string): void =>
      this.#dispatchSeconds.observe(
        { handler, template, outcome },
        (this.#clock.monotonicMs() - startMs) / 1000,
      );
    return attempt(
      () =>
        chain(work(), (value) => {
          observe("ok");
          return value;
        }),
      (error) => {
        observe("error");
        throw error;
      },
    );
  }

  reported(bags: number): void {
    this.#bags.inc(bags);
  }

  repeated(): void {
    this.#repeats.inc();
  }

  /** Counts the instances and batches of one template's delivery. */
  deliveryEvents(
    handler: string,
    template: string,
  ): Pick<DeliveryEvents<unknown>, "sending" | "delivered" | "dropped"> {
    return this.#delivery.events(handler, template);
  }

  applied(version: string, kinds: Iterable<string>, built: number, reused: number): void {
    this.#reloads.inc({ result: "applied" });
    this.#stale.set(0);
    this.#config.reset();
    this.#config.set({ version }, 1);
    this.#documents.reset();
    for (const kind of kinds) this.#documents.inc({ kind });
    this.#handlers.inc({ event: "new" }, built);
    this.#handlers.inc({ event: "reused" }, reused);
  }

  rejected(): void {
    this.#reloads.inc({ result: "rejected" });
    this.#stale.set(1);
  }

  deliveryClosed(delivery: NamedDelivery): void {
    this.#delivery.closed(delivery);
  }

  handlerClosed(handler: string, leaked: number): void {
    this.#handlers.inc({ event: "closed" });
    if (leaked > 0) this.#leaks.inc({ handler }, leaked);
  }

  handlerFault(handler: string, kind: string): void {
    this.#handlerFaults.inc({ handler, kind });
  }

  expositionLeftOut(handler: string, samples: number): void {
    this.#leftOut.inc({ handler }, samples);
  }

  #counter<L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }
}

/** Effects of documents on one request. */
export interface NotedDocuments {
  readonly denials?: readonly DocumentRef[];
  readonly shadowDenials?: readonly DocumentRef[];
  readonly audits?: readonly DocumentRef[];
}

function wordFor({ failure, granted, retryAfterMs }: QuotaOutcome, asked: number): string {
  if (failure !== undefined) return `failure-${failure.applied}`;
  if (granted >= asked) return "granted";
  if (granted > 0) return "partial";
  // Granted, but given back because another quota of the same call was used up.
  return retryAfterMs === 0 ? "given-back" : "refused";
}
