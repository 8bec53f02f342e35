// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Fallback, PolicyState } from "../../api/mixer.ts";
import type { AttributeBag } from "../../core/attributes/bag.ts";
import { Reads } from "../../expressions/runtime/reads/reads.ts";
import { repeatedFields } from "../../core/attributes/repeated.ts";
import type { QuotaCharge } from "../../core/quota/quota-charge.ts";
import { andThen, evaluateCondition, evaluateMap, Fault, type Scope } from "../../core/check/evaluation.ts";
import { largestCharges, type Tried, tryEachValue } from "../../core/check/each-value.ts";
import { recordOf } from "../../core/check/instances.ts";
import { evaluateAmount, evaluateLimit } from "../../core/check/quota-charges.ts";
import type { CompileExpression, Expression } from "../../core/expressions/expression.ts";
import type { Meter } from "../../expressions/runtime/guard.ts";
import type { ErrorCode } from "../../kernel/error-catalog.ts";
import { chain, type MaybePromise, reduceInOrder } from "../../kernel/maybe-promise.ts";
import type { Clock } from "../../kernel/ports.ts";
import { cellName } from "../../core/quota/cell-name.ts";
import { localShare } from "../../core/quota/local-share.ts";
import type { QuotaStore } from "../../core/quota/quota.ts";
import { chargeAll } from "../../core/quota/charge-all.ts";
import { demandOf, type NamedStore } from "../../core/quota/demand.ts";
import { refusalOf } from "../../core/quota/refusal.ts";
import type { Computed } from "../../core/snapshot/snapshot.ts";
import {
  allowed,
  failed,
  failureOf,
  outcomeOfRefusal,
  NO_FACTS,
  type Outcome,
  undecidedVerdict,
} from "./verdict-of.ts";
import type { Verdict } from "./verdict.ts";

export interface FailurePolicyOptions {
  readonly compile: CompileExpression;
  /** Counts for `onStoreFailure: local`; in this process. */
  readonly localStore: QuotaStore;
  readonly clock: Clock;
  readonly newId: () => string;
}

/** A quota to be counted here, against this proxy's share of the limit. */
type LocalCharge = Omit<QuotaCharge, "leaseMs" | "giveBackOn">;

type QuotaFallback = Extract<Fallback, { readonly kind: "QuotaPolicy" }>;
type Failure = NonNullable<Verdict["failure"]>;

/** What is known while the fallbacks of one request are gone through. */
interface Progress extends Tried {
  refused: Outcome | undefined;
  failure: Failure | undefined;
  readonly local: LocalCharge[];
}

/** What each governing document wants while nobody can be asked; of one set of documents. */
export class FailurePolicy {
  readonly #state: PolicyState;
  readonly #options: FailurePolicyOptions;
  readonly #expressions = new Map<string, Expression | Fault>();

  constructor(state: PolicyState, options: FailurePolicyOptions) {
    this.#state = state;
    this.#options = options;
  }

  /**
   * Decides a whole request: every document that governs it, in their order, by each value of a field that came several times.
   * `code` says what failed.
   */
  decide(bag: AttributeBag, code: ErrorCode): MaybePromise<Verdict> {
    const once = (reading: AttributeBag, spent: Meter | undefined): MaybePromise<Progress> =>
      this.#goThrough(reading, code, spent);
    const tried = tryEachValue(bag, repeatedFields(bag), once, ({ refused }) => refused !== undefined);
    return chain(tried, ({ all, ending, exceeded }) => {
      const refused = exceeded ? failed("PURSER_REQUEST_AMBIGUOUS", undefined) : ending?.refused;
      if (refused !== undefined) return undecided(refused, failureOf(code, "deny"));
      const failure = all.find(({ result }) => result.failure !== undefined)?.result.failure;
      const local = all.flatMap(({ result, single }) => (single ? result.local : []));
      if (local.length === 0) return undecided(allowed(), failure);
      return chain(this.admitLocally(largestCharges(local)), (outcome) => undecided(outcome, failure));
    });
  }

  #goThrough(bag: AttributeBag, code: ErrorCode, spent: Meter | undefined): MaybePromise<Progress> {
    const reads = new Reads(bag, spent);
    const scope: Scope = { bag, context: { nowMs: this.#options.clock.nowMs(), reads }, cacheable: false };
    const progress: Progress = {
      refused: undefined,
      failure: undefined,
      local: [],
      spent: reads,
      get referenced() {
        return reads.references();
      },
    };
    return reduceInOrder(this.#state.fallbacks, progress, (_, fallback) => {
      if (progress.refused !== undefined) return progress;
      return chain(this.#apply(fallback, scope, code, progress), () => progress);
    });
  }

  /** Counts here what nobody else can, each quota against this proxy's share: all or none. Allowed, or refused. */
  admitLocally(charges: readonly LocalCharge[]): MaybePromise<Outcome> {
    const { proxies } = this.#state;
    const { localStore, newId } = this.#options;
    const store: NamedStore = {
      name: "local",
      allocate: (requests, options) => localStore.allocate(requests, options),
    };
    const demands = charges.map((charge) =>
      // Without room to count in, nobody counts.
      demandOf({ ...charge, limit: localShare(charge.limit, proxies), onStoreFailure: "deny" }, store),
    );
    const charged = chargeAll(demands, { deduplicationId: newId(), localStore, nodes: proxies });
    return chain(charged, (outcomes) => {
      const refusal = refusalOf(charges, outcomes);
      return refusal === undefined ? allowed() : outcomeOfRefusal(refusal);
    });
  }

  #apply(fallback: Fallback, scope: Scope, code: ErrorCode, progress: Progress): MaybePromise<void> {
    return chain(this.#matches(fallback.match, scope), (matches) => {
      if (matches instanceof Fault) return applyFault(fallback, matches, progress);
      if (!matches) return;
      const applied = fallback.kind === "QuotaPolicy" ? fallback.onStoreFailure : fallback.onError;
      if (applied === "deny") {
        progress.refused = failed(code, refOf(fallback));
        return;
      }
      progress.failure ??= failureOf(code, applied);
      if (applied !== "local" || fallback.kind !== "QuotaPolicy") return;
      return chain(this.#chargeOf(fallback, scope), (charge) => {
        if (charge instanceof Fault) applyFault(fallback, charge, progress);
        else progress.local.push(charge);
      });
    });
  }

  #matches(source: string | undefined, scope: Scope): MaybePromise<boolean | Fault> {
    if (source === undefined) return true;
    const expression = this.#expression(source);
    return expression instanceof Fault ? expression : evaluateCondition(expression, scope);
  }

  #chargeOf(fallback: QuotaFallback, scope: Scope): MaybePromise<LocalCharge | Fault> {
    const { name: policy, windowMs } = fallback;
    const dimensions: (readonly [string, Computed])[] = [];
    for (const [dimension, value] of Object.entries(fallback.key)) {
      const computed = this.#computed(value);
      if (computed instanceof Fault) return computed;
      dimensions.push([dimension, computed]);
    }
    const charge = this.#computed(fallback.charge);
    if (charge instanceof Fault) return charge;
    const overrides: { readonly when: Expression; readonly limit: number }[] = [];
    for (const { when, limit } of fallback.overrides ?? []) {
      const expression = this.#expression(when);
      if (expression instanceof Fault) return expression;
      overrides.push({ when: expression, limit });
    }
    return andThen(evaluateMap(dimensions, scope), (key) =>
      andThen(evaluateAmount({ charge }, scope), (amount) =>
        andThen(evaluateLimit({ limit: fallback.limit, overrides }, scope), (limit) => {
          const cell = cellName(fallback, recordOf(key));
          const message = `quota ${policy} is used up`;
          const { algorithm, onStoreFailure } = fallback;
          return {
            policy,
            cell,
            algorithm,
            limit,
            windowMs,
            amount,
            mode: "enforce",
            onStoreFailure,
            message,
          };
        }),
      ),
    );
  }

  /** As in documents: text is an expression, the rest is meant as it is. */
  #computed(value: string | number | boolean): Computed | Fault {
    if (typeof value !== "string") return { kind: "literal", value };
    const expression = this.#expression(value);
    return expression instanceof Fault ? expression : { kind: "expression", expression };
  }

  /** Compiled when first needed: most proxies never lose their mixer. */
  #expression(source: string): Expression | Fault {
    const known = this.#expressions.get(source);
    if (known !== undefined) return known;
    const result = this.#options.compile(source);
    const expression = result.ok
      ? result.expression
      : new Fault("PURSER_EXPR_EVALUATION", result.fault.message, true);
    this.#expressions.set(source, expression);
    return expression;
  }
}

function applyFault(fallback: Fallback, { code }: Fault, progress: Progress): void {
  if (fallback.onError === "deny") progress.refused = failed(code, refOf(fallback));
  else progress.failure ??= failureOf(code, "allow");
}

function refOf({ kind, name }: Fallback) {
  return { kind, name };
}

function undecided(outcome: Outcome, failure: Failure | undefined): Verdict {
  return undecidedVerdict(outcome, failure === undefined ? NO_FACTS : { ...NO_FACTS, failure });
}
