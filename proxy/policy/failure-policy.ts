// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { PolicyState } from "../../api/mixer-service.ts";
import type { AttributeBag } from "../../core/attributes/bag.ts";
import { Reads } from "../../expressions/runtime/reads/reads.ts";
import { repeatedFields } from "../../core/attributes/repeated.ts";
import type { QuotaCharge, StoreFailure } from "../../core/quota/quota-charge.ts";
import { isOfGatewayAlone } from "../../core/check/gateway-alone.ts";
import { evaluateCondition, Fault, type Scope } from "../../core/check/evaluation.ts";
import { largestCharges, type Tried, tryEachValue } from "../../core/check/each-value.ts";
import { evaluateCharge } from "../../core/check/quota-charges.ts";
import { effectOfError, effectOfOutage } from "../../core/check/undecided.ts";
import type { CompileExpression } from "../../core/expressions/expression.ts";
import type { Meter } from "../../expressions/runtime/reads/meter.ts";
import type { ErrorCode } from "../../kernel/error-catalog.ts";
import { chain, type MaybePromise, reduceInOrder } from "../../kernel/maybe-promise.ts";
import type { Clock } from "../../kernel/ports.ts";
import { localShare } from "../../core/quota/local-share.ts";
import type { QuotaStore } from "../../core/quota/quota.ts";
import { chargeAll } from "../../core/quota/charge-all.ts";
import { demandOf, type NamedStore } from "../../core/quota/demand.ts";
import { lessExact, type QuotaState, stateOfFailure } from "../../core/quota/quota-state.ts";
import { refusalOf } from "../../core/quota/refusal.ts";
import { buildStandalonePolicies, type StandalonePolicy } from "../../core/snapshot/standalone-policies.ts";
import type { Verdict, VerdictOutcome } from "../../core/verdict/verdict.ts";
import { undecidedVerdict } from "../../core/verdict/verdict-of.ts";
import { ALLOWED, outcomeOfRefusal, undecidedOutcome } from "../../core/verdict/verdict-outcome.ts";

export interface FailurePolicyOptions {
  readonly compile: CompileExpression;
  /** Counts for `onStoreFailure: local`, in this process. */
  readonly localStore: QuotaStore;
  readonly clock: Clock;
  readonly newId: () => string;
}

/** State while the policies for one request are evaluated. */
interface Progress extends Tried {
  refused: VerdictOutcome | undefined;
  failure: StoreFailure | undefined;
  quotaState: QuotaState | undefined;
  /** Charges to count locally, against this proxy's share of each limit. */
  readonly local: QuotaCharge[];
}

/**
 * Decides requests while the mixer is away, by each governing document's failure policy. Belongs to one set
 * of documents.
 */
export class FailurePolicy {
  readonly #state: PolicyState;
  readonly #options: FailurePolicyOptions;
  #built: readonly StandalonePolicy[] | undefined;

  constructor(state: PolicyState, options: FailurePolicyOptions) {
    this.#state = state;
    this.#options = options;
  }

  /**
   * Decides a request: evaluates every document that governs it in order, trying each value of a repeated
   * header field.
   *
   * @param code The error for which the mixer could not be asked.
   */
  decide(bag: AttributeBag, code: ErrorCode): MaybePromise<Verdict> {
    const once = (reading: AttributeBag, spent: Meter | undefined): MaybePromise<Progress> =>
      this.#goThrough(reading, code, spent);
    const tried = tryEachValue(bag, repeatedFields(bag), once, ({ refused }) => refused !== undefined);
    return chain(tried, ({ all, ending, exceeded }) => {
      const refused = exceeded ? undecidedOutcome("PURSER_REQUEST_AMBIGUOUS", undefined) : ending?.refused;
      if (refused !== undefined) return undecidedVerdict(refused, { code, applied: "deny" });
      const failure = all.find(({ result }) => result.failure !== undefined)?.result.failure;
      const local = all.flatMap(({ result, single }) => (single ? result.local : []));
      const state = all.reduce<QuotaState | undefined>(
        (known, { result }) => lessExact(known, result.quotaState),
        undefined,
      );
      if (local.length === 0) return undecidedVerdict(ALLOWED, failure, state);
      return chain(this.admitLocally(largestCharges(local)), (outcome) =>
        undecidedVerdict(outcome, failure, state),
      );
    });
  }

  #goThrough(bag: AttributeBag, code: ErrorCode, spent: Meter | undefined): MaybePromise<Progress> {
    const reads = new Reads(bag, spent);
    const scope: Scope = { bag, context: { nowMs: this.#options.clock.nowMs(), reads }, cacheable: false };
    const progress: Progress = {
      refused: undefined,
      failure: undefined,
      quotaState: undefined,
      local: [],
      spent: reads,
      get referenced() {
        return reads.references();
      },
    };
    const policies = isOfGatewayAlone(reads) ? this.#policies.filter(isAuthorization) : this.#policies;
    return reduceInOrder(policies, progress, (_, policy) => {
      if (progress.refused !== undefined) return progress;
      return chain(apply(policy, scope, code, progress), () => progress);
    });
  }

  /** Counts locally, each quota against this proxy's share of its limit: all charges or none. */
  admitLocally(charges: readonly QuotaCharge[]): MaybePromise<VerdictOutcome> {
    const { proxies } = this.#state;
    const { localStore, newId, clock } = this.#options;
    const nowMs = clock.nowMs();
    const store: NamedStore = {
      name: "local",
      allocate: (requests, options) => localStore.allocate(requests, options),
    };
    const demands = charges.map((charge) =>
      // When the local store is full, deny: there is no further store to fall back to.
      demandOf({ ...charge, limit: localShare(charge.limit, proxies), onStoreFailure: "deny" }, store, {
        nowMs,
      }),
    );
    const charged = chargeAll(demands, { deduplicationId: newId(), localStore, nodes: proxies });
    return chain(charged, (outcomes) => {
      const refusal = refusalOf(charges, outcomes);
      return refusal === undefined ? ALLOWED : outcomeOfRefusal(refusal);
    });
  }

  /** Compiled on first use: most proxies never lose their mixer. */
  get #policies(): readonly StandalonePolicy[] {
    this.#built ??= buildStandalonePolicies(this.#state.policies, this.#options.compile);
    return this.#built;
  }
}

function apply(
  policy: StandalonePolicy,
  scope: Scope,
  code: ErrorCode,
  progress: Progress,
): MaybePromise<void> {
  return chain(evaluateCondition(policy.match, scope), (matches) => {
    if (matches instanceof Fault) return applyFault(policy, matches, progress);
    if (!matches) return;
    const effect = effectOfOutage(policy);
    if (effect === "deny") {
      progress.refused = undecidedOutcome(code, refOf(policy));
      return;
    }
    progress.failure ??= { code, applied: effect };
    if (policy.kind === "QuotaPolicy")
      progress.quotaState = lessExact(progress.quotaState, stateOfFailure({ applied: effect }));
    if (effect !== "local" || policy.kind !== "QuotaPolicy") return;
    return chain(evaluateCharge(policy, scope), (charge) => {
      if (charge instanceof Fault) applyFault(policy, charge, progress);
      else progress.local.push(charge);
    });
  });
}

function applyFault(policy: StandalonePolicy, { code }: Fault, progress: Progress): void {
  if (effectOfError(policy) === "deny") progress.refused = undecidedOutcome(code, refOf(policy));
  else progress.failure ??= { code, applied: "allow" };
}

function isAuthorization(policy: StandalonePolicy): boolean {
  return policy.kind !== "QuotaPolicy" && policy.authorization === true;
}

function refOf(policy: StandalonePolicy) {
  return { kind: isAuthorization(policy) ? "AuthorizationPolicy" : policy.kind, name: policy.name };
}
