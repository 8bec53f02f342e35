// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag } from "../../core/attributes/bag.ts";
import { evaluateComputed } from "../../core/check/evaluation.ts";
import type { CompileExpression } from "../../core/expressions/expression.ts";
import type { QuotaCharge, QuotaOutcome } from "../../core/quota/quota-charge.ts";
import type { RequestFate, Settlement } from "../../core/quota/quota-definition.ts";
import { LazyExpression } from "../../core/snapshot/lazy-expression.ts";
import type { Computed } from "../../core/snapshot/snapshot.ts";
import { chain } from "../../kernel/maybe-promise.ts";
import type { ChargeSettlement } from "./check-result.ts";
import type { LeaseManager } from "./leases/lease-manager.ts";
import { type ChargeResult, partOf } from "./leases/lease-pool.ts";
import type { SlotGrant } from "./leases/held-slots.ts";
import type { SlotKeeper } from "./leases/slot-keeper.ts";
import type { ClientStats } from "./stats.ts";

export interface ChargeSettlerOptions {
  readonly leases: LeaseManager;
  /** Renews the slots of requests under way. */
  readonly slots: SlotKeeper;
  readonly compile: CompileExpression;
  /** Wall-clock milliseconds, for $now() in charges. */
  readonly nowMs: () => number;
  readonly stats: ClientStats;
}

/** Whether the charge depends on how the request ends. */
export function isSettled(charge: QuotaCharge): boolean {
  return charge.giveBackOn !== undefined || charge.settlement !== undefined || isSlot(charge);
}

/** Whether the charge takes slots, which go back when the request ends. */
export function isSlot({ algorithm }: QuotaCharge): boolean {
  return algorithm === "concurrency";
}

/** One settlement that does the work of both, or of the only one. */
export function joined(first: ChargeSettlement, second: ChargeSettlement | undefined): ChargeSettlement {
  if (second === undefined) return first;
  return {
    readsBody: first.readsBody || second.readsBody,
    settle: (fate, bag) => {
      first.settle(fate, bag);
      second.settle(fate, bag);
    },
  };
}

/** Bound on the compiled charges; documents have few, and an edit of them brings new ones. */
const MAX_COMPILED = 1_000;

/**
 * Settles charges when their requests end. A reservation bounds its charge, so that the limit holds for as
 * long as requests are under way, and whatever is lost on the way: a proxy that crashes, or a give-back that
 * does not arrive, leaves the whole reservation counted.
 */
export class ChargeSettler {
  readonly #options: ChargeSettlerOptions;
  readonly #compiled = new Map<string, LazyExpression>();

  constructor(options: ChargeSettlerOptions) {
    this.#options = options;
  }

  /** @param taken The amount that each charge took from its leases. */
  ofLeases(charges: readonly QuotaCharge[], taken: readonly ChargeResult[]): ChargeSettlement {
    const { leases } = this.#options;
    const grants = (index: number): readonly SlotGrant[] => {
      const result = taken[index];
      if (result?.kind !== "taken") return [];
      return result.parts.map(({ grant: { slot }, amount }) => ({ slot, amount }));
    };
    return this.#settlementOf(charges, grants, (index, amount) => {
      const result = taken[index];
      if (result?.kind === "taken") void leases.putBack([partOf(result, amount)]);
    });
  }

  /** @param granted What the mixer granted with its decision. */
  ofGrants(
    granted: readonly { readonly charge: QuotaCharge; readonly outcome: QuotaOutcome }[],
  ): ChargeSettlement {
    const { leases } = this.#options;
    const charges = granted.map(({ charge }) => charge);
    const grants = (index: number): readonly SlotGrant[] => {
      const { slot, granted: amount } = (granted[index] as (typeof granted)[number]).outcome;
      return [{ slot, amount }];
    };
    return this.#settlementOf(charges, grants, (index, amount) => {
      const grant = granted[index] as (typeof granted)[number];
      void leases.giveBackGrants([{ ...grant, outcome: { ...grant.outcome, granted: amount } }]);
    });
  }

  #settlementOf(
    charges: readonly QuotaCharge[],
    grantsOf: (index: number) => readonly SlotGrant[],
    giveBack: (index: number, amount: number) => void,
  ): ChargeSettlement {
    const { slots } = this.#options;
    const held = charges.map((charge, index) =>
      isSlot(charge) ? slots.hold(charge, grantsOf(index)) : undefined,
    );
    return {
      readsBody: charges.some(({ settlement }) => settlement !== undefined && this.#readsBody(settlement)),
      settle: (fate, bag) => {
        for (const [index, charge] of charges.entries()) {
          const release = held[index];
          if (release !== undefined) release();
          else if (isGivenBack(charge, fate)) giveBack(index, charge.amount);
          else if (charge.settlement !== undefined)
            this.#settle(charge, charge.settlement, bag, (amount) => giveBack(index, amount));
        }
      },
    };
  }

  #settle(
    charge: QuotaCharge,
    { charge: source, whenAbsent }: Settlement,
    bag: AttributeBag,
    giveBack: (amount: number) => void,
  ): void {
    const { leases, stats, nowMs } = this.#options;
    const scope = { bag, context: { nowMs: nowMs() }, cacheable: false };
    // A promise only for the rare expressions that are interpreted; it never rejects.
    void chain(evaluateComputed(this.#computed(source), scope), (value) => {
      stats.quota_settled++;
      const used = amountOf(value);
      if (used === undefined) stats.quota_settled_absent++;
      const amount = used ?? (whenAbsent === "reserve" ? charge.amount : whenAbsent);
      if (amount < charge.amount) giveBack(charge.amount - amount);
      else if (amount > charge.amount) void leases.chargeMore(charge, amount - charge.amount);
    });
  }

  #readsBody({ charge }: Settlement): boolean {
    if (typeof charge !== "string") return false;
    const { paths, exact } = this.#expression(charge).references;
    return (
      !exact || paths.some(({ path: [group, name = "body"] }) => group === "response" && name === "body")
    );
  }

  #computed(source: Settlement["charge"]): Computed {
    return typeof source === "string"
      ? { kind: "expression", expression: this.#expression(source) }
      : { kind: "literal", value: source };
  }

  #expression(source: string): LazyExpression {
    let expression = this.#compiled.get(source);
    if (expression === undefined) {
      if (this.#compiled.size >= MAX_COMPILED) this.#compiled.clear();
      expression = new LazyExpression(source, this.#options.compile);
      this.#compiled.set(source, expression);
    }
    return expression;
  }
}

function isGivenBack({ giveBackOn }: QuotaCharge, fate: RequestFate | undefined): boolean {
  return fate !== undefined && (giveBackOn === "failure" || giveBackOn === fate);
}

/** A usable amount, rounded up so that no use is free; undefined for any other value, faults included. */
function amountOf(value: unknown): number | undefined {
  if (typeof value !== "number" || !(value >= 0)) return undefined;
  const amount = Math.ceil(value);
  return Number.isSafeInteger(amount) ? amount : undefined;
}
