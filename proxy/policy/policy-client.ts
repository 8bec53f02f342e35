// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { CheckReply, MixerService, PolicyState, ProxyIdentity } from "../../api/mixer-service.ts";
import type { AttributeBag } from "../../core/attributes/bag.ts";
import type { Decision } from "../../core/check/decision.ts";
import type { Explanation } from "../../core/explain/explanation.ts";
import type { CompileExpression } from "../../core/expressions/expression.ts";
import { CircuitBreaker } from "../../kernel/circuit-breaker.ts";
import { withDeadline } from "../../kernel/deadline.ts";
import { messageOf, PurserError } from "../../kernel/errors.ts";
import type { ErrorCode } from "../../kernel/error-catalog.ts";
import { chain, isPromise, type MaybePromise } from "../../kernel/maybe-promise.ts";
import type { Clock, Logger, Random, Scheduler } from "../../kernel/ports.ts";
import { createMemoryQuotaStore } from "../../core/quota/memory-store.ts";
import { BeyondGate } from "./beyond/beyond-gate.ts";
import type { RequestLife } from "./beyond/quota-queues.ts";
import { ChargeSettler } from "./charge-settler.ts";
import type { QuotaState } from "../../core/quota/quota-state.ts";
import { DecisionCache } from "./decisions/decision-cache.ts";
import { FailurePolicy } from "./failure-policy.ts";
import { LeasedResult } from "./leased-result.ts";
import { LeaseManager } from "./leases/lease-manager.ts";
import { SlotKeeper } from "./leases/slot-keeper.ts";
import { UseTime } from "./leases/use-time.ts";
import { type Answer, MixerCaller, Unavailable } from "./mixer-caller.ts";
import { cachedDecision, type CachedDecision, QuotaGate } from "./quota-gate.ts";
import { ReportBatches } from "./report-batches.ts";
import { DEFAULT_POLICY_CLIENT_SETTINGS, EXPLAIN_TIMEOUT_MS, type PolicyClientSettings } from "./settings.ts";
import { type ClientStats, createClientStats } from "./stats.ts";
import { undecidedVerdict } from "../../core/verdict/verdict-of.ts";
import { undecidedOutcome } from "../../core/verdict/verdict-outcome.ts";
import {
  type CheckOptions,
  type CheckResult,
  type PolicyClient,
  type Recheck,
  uncached,
} from "./check-result.ts";

export interface PolicyClientOptions {
  /** In this process or behind HTTP; the client makes no difference. */
  readonly service: MixerService;
  readonly identity: ProxyIdentity;
  readonly clock: Clock;
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  /** Compiles the match conditions of the failure policies, and the charges that responses settle. */
  readonly compile: CompileExpression;
  readonly settings?: Partial<PolicyClientSettings>;
}

/** A policy client with counters. */
export interface MeteredPolicyClient extends PolicyClient {
  /** The current counters; see stats.ts. */
  stats(): Readonly<Record<string, number>>;
}

export function createPolicyClient(options: PolicyClientOptions): MeteredPolicyClient {
  return new CachingPolicyClient(options);
}

const NO_OPTIONS: CheckOptions = {};

const COUNTER_OF_STATE = {
  exact: "quota_state_exact",
  leased: "quota_state_leased",
  local: "quota_state_local",
  "allowed-uncounted": "quota_state_allowed_uncounted",
} as const satisfies Readonly<Record<QuotaState, keyof ClientStats>>;

/** Maximum number of versions remembered as seen. */
const MAX_SEEN_VERSIONS = 100;

/**
 * Caches the policies' decisions in the proxy; asks the mixer for the rest, and applies failure policies
 * while the mixer is away.
 */
class CachingPolicyClient implements MeteredPolicyClient {
  readonly #options: PolicyClientOptions;
  readonly #settings: PolicyClientSettings;
  readonly #stats: ClientStats = createClientStats();
  readonly #cache: DecisionCache<CachedDecision>;
  readonly #caller: MixerCaller;
  readonly #useTime = new UseTime();
  readonly #leases: LeaseManager;
  readonly #beyond: BeyondGate;
  readonly #gate: QuotaGate;
  readonly #reports: ReportBatches;
  readonly #localStore;
  readonly #newId: () => string;
  readonly #stopWatching: () => void;
  /** Version of the newest policy state; undefined until the first. */
  #version: string | undefined;
  #guardsGateways = true;
  #failurePolicy: FailurePolicy | undefined;
  readonly #seenVersions = new Set<string>();
  readonly #policyListeners = new Set<() => void>();
  #closing: Promise<void> | undefined;

  constructor(options: PolicyClientOptions) {
    const { service, identity, clock, random, scheduler } = options;
    const settings = { ...DEFAULT_POLICY_CLIENT_SETTINGS, ...options.settings };
    const stats = this.#stats;
    this.#options = options;
    this.#settings = settings;
    this.#newId = idSource(identity, clock, random);
    this.#localStore = createMemoryQuotaStore({ clock });
    this.#cache = new DecisionCache({
      maxDecisions: settings.maxDecisions,
      maxCharacters: settings.maxDecisionCharacters,
      maxShapes: settings.maxShapes,
    });
    const breaker = new CircuitBreaker({
      clock,
      random,
      failures: settings.breakerFailures,
      openMs: settings.breakerOpenMs,
    });
    this.#caller = new MixerCaller({ scheduler, breaker, stats });
    this.#leases = new LeaseManager({
      service,
      caller: this.#caller,
      clock,
      scheduler,
      stats,
      useTime: this.#useTime,
      maxPools: settings.maxLeasePools,
      callTimeoutMs: settings.callTimeoutMs,
      newId: this.#newId,
      onVersion: (version) => this.#meet(version),
    });
    const failurePolicy = (): FailurePolicy => this.#failurePolicy as FailurePolicy;
    const monotonicMs = (): number => clock.monotonicMs();
    this.#beyond = new BeyondGate({
      leases: this.#leases,
      stats,
      useTime: this.#useTime,
      failurePolicy,
      scheduler,
      monotonicMs,
    });
    this.#gate = new QuotaGate({
      leases: this.#leases,
      stats,
      failurePolicy,
      monotonicMs,
      beyond: this.#beyond,
      settler: new ChargeSettler({
        leases: this.#leases,
        slots: new SlotKeeper({ leases: this.#leases, clock, scheduler, stats }),
        compile: options.compile,
        nowMs: () => clock.nowMs(),
        stats,
      }),
    });
    this.#reports = new ReportBatches({ ...options, settings, stats, newId: this.#newId });
    this.#stopWatching = service.watch(identity, (state) => this.#use(state));
  }

  get guardsGateways(): boolean {
    return this.#guardsGateways;
  }

  get ready(): boolean {
    return this.#version !== undefined && this.#closing === undefined;
  }

  check(
    bag: AttributeBag,
    options: CheckOptions = NO_OPTIONS,
    life?: RequestLife,
  ): MaybePromise<CheckResult> {
    try {
      const result = this.#check(bag, options.explain ?? false, life);
      if (!isPromise(result)) return this.#count(result);
      return result.then((known) => this.#count(known)).catch((error: unknown) => this.#fail(error));
    } catch (error) {
      return this.#fail(error);
    }
  }

  recheck(bag: AttributeBag): MaybePromise<Recheck> {
    if (this.#version === undefined) return "undecided";
    const { service, clock } = this.#options;
    const nowMs = clock.monotonicMs();
    const cached = this.#cache.find(bag, nowMs);
    if (cached !== undefined) return recheckOf(cached.decision);
    const request = { attributes: bag, deduplicationId: this.#newId(), withoutQuotas: true };
    this.#stats.remote_check_calls++;
    const answer = this.#caller.call(this.#settings.callTimeoutMs, (options) =>
      service.check(request, options),
    );
    const judged = chain(answer, (reply: Answer<CheckReply>): Recheck => {
      if (reply instanceof Unavailable) return "undecided";
      this.#keep(bag, reply, nowMs);
      // A mixer with other documents has not met the change yet, or has met a later one.
      return reply.version === this.#version ? recheckOf(reply.decision) : "undecided";
    });
    return isPromise(judged) ? judged.catch((): Recheck => "undecided") : judged;
  }

  watchPolicies(listener: () => void): () => void {
    this.#policyListeners.add(listener);
    return () => this.#policyListeners.delete(listener);
  }

  report(bag: AttributeBag): void {
    this.#reports.add(bag);
  }

  stats(): Readonly<Record<string, number>> {
    return {
      ...this.#stats,
      check_cache_entries: this.#cache.size,
      quota_queue_waiting: this.#beyond.waiting,
    };
  }

  close(deadlineMs: number): Promise<void> {
    this.#closing ??= this.#close(deadlineMs);
    return this.#closing;
  }

  #check(bag: AttributeBag, explain: boolean, life: RequestLife | undefined): MaybePromise<CheckResult> {
    const stats = this.#stats;
    stats.check_calls++;
    // Before the policies are known, no failure policy is known either: fail closed.
    if (this.#version === undefined)
      return uncached(undecidedVerdict(undecidedOutcome("PURSER_MIXER_UNAVAILABLE", undefined)));
    const nowMs = this.#options.clock.monotonicMs();
    const cached = explain ? undefined : this.#cache.find(bag, nowMs);
    if (cached === undefined) {
      stats.check_cache_misses++;
      return this.#ask(bag, life, explain);
    }
    stats.check_cache_hits++;
    if (cached.decision.status.code === "OK") stats.check_cache_hit_accepts++;
    else stats.check_cache_hit_denies++;
    const passed = this.#gate.pass(cached, nowMs, life);
    if (isPromise(passed))
      return passed.then((verdict) => (verdict === "stale" ? this.#ask(bag, life) : verdict));
    return passed === "stale" ? this.#ask(bag, life) : passed;
  }

  #count(result: CheckResult): CheckResult {
    const { quotaState } = result;
    if (quotaState !== undefined) this.#stats[COUNTER_OF_STATE[quotaState]]++;
    return result;
  }

  #fail(error: unknown): CheckResult {
    this.#options.logger.error("a check failed in the proxy itself", { error: messageOf(error) });
    return uncached(undecidedVerdict(undecidedOutcome("PURSER_INTERNAL", undefined)));
  }

  #ask(
    bag: AttributeBag,
    life: RequestLife | undefined,
    explain = false,
    isLastTry = false,
  ): MaybePromise<CheckResult> {
    const { service, clock } = this.#options;
    const sentMs = clock.monotonicMs();
    const useWithinMs = this.#useTime.ms;
    const request = {
      attributes: bag,
      deduplicationId: this.#newId(),
      ...(useWithinMs === 0 ? {} : { useWithinMs }),
      ...(explain ? { explain } : {}),
    };
    const { callTimeoutMs } = this.#settings;
    const timeoutMs = explain ? Math.max(callTimeoutMs, EXPLAIN_TIMEOUT_MS) : callTimeoutMs;
    this.#stats.remote_check_calls++;
    const answer = this.#caller.call(timeoutMs, (options) => service.check(request, options));
    const atOnce = !isPromise(answer);
    return chain(answer, (reply: Answer<CheckReply>) => {
      if (reply instanceof Unavailable) {
        this.#stats.check_fallbacks++;
        return this.#fallBack(bag, reply.error.code);
      }
      if (reply.decision.status.code === "OK") this.#stats.remote_check_accepts++;
      else this.#stats.remote_check_denies++;
      this.#keep(bag, reply, sentMs);
      if (!explain) this.#useTime.note(atOnce ? 0 : clock.monotonicMs() - sentMs);
      return chain(this.#gate.admit(reply, atOnce ? undefined : sentMs, life), (verdict) => {
        if (verdict === "stale")
          return isLastTry
            ? this.#fallBack(bag, "PURSER_MIXER_UNAVAILABLE")
            : // Once more, because the documents have changed since the decision.
              this.#ask(bag, life, explain, true);
        return reply.explanation === undefined ? verdict : explained(verdict, reply.explanation);
      });
    });
  }

  #fallBack(bag: AttributeBag, code: ErrorCode): MaybePromise<CheckResult> {
    return chain((this.#failurePolicy as FailurePolicy).decide(bag, code), uncached);
  }

  /**
   * Caches a decision of the documents in force only: not of a check that began before they changed, nor of a
   * mixer with others.
   */
  #keep(bag: AttributeBag, { version, decision }: CheckReply, sentMs: number): void {
    if (version !== this.#version) {
      this.#meet(version);
      this.#stats.check_cache_unfit++;
      return;
    }
    if (!this.#cache.store(bag, decision, sentMs, cachedDecision(decision))) this.#stats.check_cache_unfit++;
  }

  #use(state: PolicyState): void {
    const changed = state.version !== this.#version;
    if (changed) {
      this.#seenVersions.add(state.version);
      this.#flush();
      this.#options.logger.info("the policies are known", {
        version: state.version,
        documents: state.policies.length,
      });
    }
    this.#version = state.version;
    this.#guardsGateways = state.policies.some((policy) => policy.authorization === true);
    this.#leases.use(state.version, state.proxies);
    if (changed) this.#beyond.end("stale");
    this.#failurePolicy = new FailurePolicy(state, {
      compile: this.#options.compile,
      localStore: this.#localStore,
      clock: this.#options.clock,
      newId: this.#newId,
    });
    if (changed) for (const listener of this.#policyListeners) listener();
  }

  /**
   * Handles the version in a reply. Only the watch sets the version in force; but the first sight of another
   * version means that cached decisions may be outdated, and flushes the cache. Only the first sight: while
   * mixers with different documents alternate, as in a rolling upgrade, the cache must stay useful.
   */
  #meet(version: string): void {
    if (this.#seenVersions.has(version)) return;
    if (this.#seenVersions.size >= MAX_SEEN_VERSIONS) this.#seenVersions.clear();
    this.#seenVersions.add(version);
    this.#flush();
  }

  #flush(): void {
    this.#cache.clear();
    this.#stats.check_cache_flushes++;
  }

  async #close(deadlineMs: number): Promise<void> {
    this.#stopWatching();
    this.#beyond.end("closed");
    const { scheduler } = this.#options;
    const late = () =>
      new PurserError("PURSER_MIXER_UNAVAILABLE", `leases were not given back in ${deadlineMs} ms`);
    const leases = withDeadline(scheduler, deadlineMs, () => this.#leases.close(), late);
    await Promise.allSettled([leases, this.#reports.close(deadlineMs)]);
  }
}

function recheckOf({ status, reason }: Pick<Decision, "status" | "reason">): Recheck {
  if (status.code === "OK") return "allowed";
  return reason?.kind === "error" ? "undecided" : "refused";
}

function explained(result: CheckResult, explanation: Explanation): CheckResult {
  if (!(result instanceof LeasedResult)) return { ...result, explanation };
  result.explanation = explanation;
  return result;
}

/** Source of unique call ids, distinct from those of an earlier process with the same name. */
function idSource({ id }: ProxyIdentity, clock: Clock, random: Random): () => string {
  const start = `${id}/${clock.nowMs().toString(36)}${Math.floor(random() * 2 ** 32).toString(36)}`;
  let calls = 0;
  return () => `${start}/${(calls++).toString(36)}`;
}
