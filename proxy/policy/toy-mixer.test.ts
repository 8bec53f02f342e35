// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type {
  AllocateReply,
  AllocateRequest,
  CheckReply,
  CheckRequest,
  MixerService,
  PolicyState,
  ReportRequest,
} from "../../api/mixer-service.ts";
import type { AttributeBag } from "../../core/attributes/bag.ts";
import { createRecorder } from "../../expressions/runtime/reads/recorder.ts";
import type { QuotaCharge, QuotaOutcome } from "../../core/quota/quota-charge.ts";
import type { Decision } from "../../core/check/decision.ts";
import { compileWithJsonata } from "../../core/expressions/jsonata-engine.ts";
import type { EnforcementMode } from "../../kernel/enforcement-mode.ts";
import { PurserError } from "../../kernel/errors.ts";
import { type MaybePromise } from "../../kernel/maybe-promise.ts";
import { OK } from "../../kernel/status.ts";
import { createMemoryQuotaStore } from "../../core/quota/memory-store.ts";
import type { QuotaGrant, QuotaStore } from "../../core/quota/quota.ts";
import type { QuotaAlgorithm, Settlement } from "../../core/quota/quota-definition.ts";
import {
  createCollectingLogger,
  createSeededRandom,
  createVirtualTime,
  type VirtualTime,
} from "../../plugins/sdk/testing/index.ts";
import { createPolicyClient, type MeteredPolicyClient } from "./policy-client.ts";
import type { PolicyClientSettings } from "./settings.ts";

/** Shared by the tests of this folder: a mixer with scripted behaviour, on virtual time. */

export interface ToyQuota {
  readonly policy: string;
  readonly limit: number;
  readonly windowMs: number;
  readonly algorithm: QuotaAlgorithm;
  readonly leaseMs: number;
  readonly mode: EnforcementMode;
  readonly onStoreFailure: "allow" | "deny" | "local";
  readonly giveBackOn?: "unanswered" | "failure";
  readonly settlement?: Settlement;
}

export function quota(fields: Partial<ToyQuota> = {}): ToyQuota {
  return {
    policy: "per-user",
    limit: 100,
    windowMs: 60_000,
    algorithm: "fixed-window",
    leaseMs: 1_000,
    mode: "enforce",
    onStoreFailure: "deny",
    ...fields,
  };
}

export function charge(of: ToyQuota, amount = 1, cell = `${of.policy}{}`): QuotaCharge {
  const { policy, limit, windowMs, algorithm, leaseMs, mode, onStoreFailure, giveBackOn, settlement } = of;
  return {
    policy,
    algorithm,
    cell,
    limit,
    windowMs,
    leaseMs,
    mode,
    onStoreFailure,
    amount,
    ...(giveBackOn === undefined ? {} : { giveBackOn }),
    ...(settlement === undefined ? {} : { settlement }),
    message: `${policy} is used up`,
  };
}

export function decision(fields: Partial<Decision> = {}): Decision {
  return {
    status: OK,
    requestHeaders: [],
    responseHeaders: [],
    validDurationMs: 10_000,
    validUseCount: 10_000,
    referenced: [],
    shadowDenials: [],
    audits: [],
    charges: [],
    ...fields,
  };
}

export function denial(name = "no-entry"): Partial<Decision> {
  return {
    status: { code: "PERMISSION_DENIED", message: "no" },
    reason: { kind: "policy" },
    decidedBy: { kind: "AccessPolicy", name },
  };
}

/** A mixer with one decision function and one store. */
export class ToyMixer implements MixerService {
  readonly store: QuotaStore;
  /** Counts for `onStoreFailure: local`, as a mixer's own memory does. */
  readonly localStore: QuotaStore;
  readonly #time: VirtualTime;
  readonly #listeners = new Set<(state: PolicyState) => void>();
  /** Decides about a bag, which records the attributes that are read. */
  decide: (bag: AttributeBag) => Partial<Decision> = () => ({});
  quotas: readonly ToyQuota[] = [];
  state: PolicyState = { version: "v1", proxies: 1, policies: [] };
  /** The version in replies; undefined for the version of the state. */
  replyVersion: string | undefined;
  condition: "up" | "refuses" | "hangs" | "loses replies" = "up";
  storeCondition: "up" | "down" = "up";
  /** Delay of a call's arrival in milliseconds; 0 for a mixer in the same process. */
  delayMs = 0;
  /** Delay of a reply after the decision, in milliseconds. */
  replyDelayMs = 0;
  stale = false;
  /** Policies without a document: their charges are stale. */
  gone: readonly string[] = [];
  readonly checks: CheckRequest[] = [];
  readonly allocations: AllocateRequest[] = [];
  readonly reports: ReportRequest[] = [];

  constructor(time: VirtualTime, store: QuotaStore = createMemoryQuotaStore({ clock: time.clock })) {
    this.#time = time;
    this.store = store;
    this.localStore = createMemoryQuotaStore({ clock: time.clock });
  }

  check(request: CheckRequest): MaybePromise<CheckReply> {
    this.checks.push(request);
    return this.#answer(() => {
      const recorder = createRecorder(request.attributes);
      const decided = this.decide(recorder.view);
      const made = decision({ referenced: recorder.references(), ...decided });
      const quotas = this.#charge(
        made.charges.map((one) => ({ ...one, leaseMs: request.useWithinMs ?? 0, bestEffort: false })),
        request.deduplicationId,
      );
      return { version: this.replyVersion ?? this.state.version, decision: made, quotas };
    });
  }

  allocate(request: AllocateRequest): MaybePromise<AllocateReply> {
    this.allocations.push(request);
    return this.#answer((): AllocateReply => {
      if (this.stale) return { kind: "stale", version: this.replyVersion ?? this.state.version };
      const { charges } = request;
      const stale = [...charges.keys()].filter((index) => this.gone.includes(charges[index]?.policy ?? ""));
      const version = this.state.version;
      if (stale.length === charges.length) return { kind: "stale", version };
      const made = charges.filter((_, index) => !stale.includes(index));
      const quotas = [...this.#charge(made, request.deduplicationId)];
      for (const index of stale) {
        const { policy, cell } = charges[index] as (typeof charges)[number];
        const nothing = { granted: 0, remaining: 0, resetMs: 0, retryAfterMs: 0, validForMs: 0, slot: 0 };
        quotas.splice(index, 0, { policy, cell, ...nothing });
      }
      return {
        kind: "granted",
        quotas,
        ...(stale.length === 0 ? {} : { stale: { version, charges: stale } }),
      };
    });
  }

  report(request: ReportRequest): MaybePromise<void> {
    this.reports.push(request);
    return this.#answer(() => undefined);
  }

  watch(_: unknown, listener: (state: PolicyState) => void): () => void {
    this.#listeners.add(listener);
    listener(this.state);
    return () => void this.#listeners.delete(listener);
  }

  announce(state: Partial<PolicyState>): void {
    this.state = { ...this.state, ...state };
    for (const listener of this.#listeners) listener(this.state);
  }

  /** The remainder of a quota, read without taking. */
  remaining(of: ToyQuota, cell = `${of.policy}{}`): number {
    const { algorithm, limit, windowMs } = of;
    const look = { cell, algorithm, limit, windowMs, amount: 0, bestEffort: true, leaseMs: 0 };
    const grants = this.store.allocate([look], { deduplicationId: `look ${Math.random()}` });
    return (grants as readonly QuotaGrant[])[0]?.remaining as number;
  }

  #charge(
    charges: readonly {
      readonly policy: string;
      readonly cell: string;
      readonly limit: number;
      readonly leaseMs: number;
      readonly amount: number;
      readonly bestEffort: boolean;
      readonly slot?: number;
    }[],
    deduplicationId: string,
  ): readonly QuotaOutcome[] {
    if (charges.length === 0) return [];
    const requests = charges.map(({ policy, cell, limit, leaseMs, amount, bestEffort, slot }) => {
      const { windowMs, algorithm } = this.quotas.find((one) => one.policy === policy) as ToyQuota;
      const at = slot === undefined ? {} : { slot };
      return { cell, limit, leaseMs, amount, bestEffort, windowMs, algorithm, ...at };
    });
    const away = this.storeCondition === "down";
    const grants = (away ? this.localStore : this.store).allocate(requests, {
      deduplicationId,
    }) as readonly QuotaGrant[];
    return charges.map(({ policy, cell, amount }, index) => {
      const grant = grants[index] as QuotaGrant;
      if (!away) return { policy, cell, ...grant };
      const { onStoreFailure: applied } = this.quotas.find((one) => one.policy === policy) as ToyQuota;
      const granted = { allow: amount, deny: 0, local: grant.granted }[applied];
      const failure = { code: "PURSER_STORE_UNAVAILABLE", applied } as const;
      return { policy, cell, ...grant, granted, failure };
    });
  }

  #answer<T>(reply: () => T): MaybePromise<T> {
    const { condition, delayMs, replyDelayMs } = this;
    if (condition === "hangs") return new Promise(() => {});
    if (condition === "refuses") {
      return Promise.reject(new PurserError("PURSER_MIXER_UNAVAILABLE", "connection refused"));
    }
    if (condition === "up" && delayMs + replyDelayMs === 0) return reply();
    return new Promise((resolve, reject) => {
      this.#time.scheduler.after(delayMs, () => {
        const answer = reply();
        if (condition === "up") this.#time.scheduler.after(replyDelayMs, () => resolve(answer));
        else reject(new PurserError("PURSER_MIXER_UNAVAILABLE", "connection reset"));
      });
    });
  }
}

export interface Stage {
  readonly time: VirtualTime;
  readonly mixer: ToyMixer;
  readonly client: MeteredPolicyClient;
  newClient(id: string): MeteredPolicyClient;
}

export function createStage(settings: Partial<PolicyClientSettings> = {}): Stage {
  const time = createVirtualTime();
  const mixer = new ToyMixer(time);
  const newClient = (id: string) =>
    createPolicyClient({
      service: mixer,
      identity: { id },
      clock: time.clock,
      scheduler: time.scheduler,
      random: createSeededRandom(),
      logger: createCollectingLogger(),
      compile: compileWithJsonata,
      settings,
    });
  return { time, mixer, client: newClient("edge~test"), newClient };
}
