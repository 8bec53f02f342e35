// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Reads } from "../../expressions/runtime/reads/reads.ts";
import { isPromise, type MaybePromise } from "../../kernel/maybe-promise.ts";
import { evaluateCondition, Fault } from "./evaluation.ts";
import type { CheckPlan, Sort } from "./plan.ts";
import type { Governing, Group, SelectedPositions } from "./selection/policy-selection.ts";
import type { DecisionBuilder } from "./decision-builder.ts";

type Of<S extends Sort> = CheckPlan[S][number];
type Ask<S extends Sort> = (document: Of<S>, builder: DecisionBuilder) => MaybePromise<void>;
/** Called for each of the documents that all match the request, of which only some will be evaluated. */
type OnMember<S extends Sort> = (member: Of<S>, builder: DecisionBuilder) => void;

/** Evaluates the documents that may match, in order, until one refuses the request. */
export function askEach<S extends Sort>(
  plan: CheckPlan,
  sort: S,
  builder: DecisionBuilder,
  ask: Ask<S>,
  onMember: OnMember<S> = nothing,
): MaybePromise<void> {
  return plan[sort].length === 0 ? undefined : new Round(plan, sort, builder, ask, onMember, true).run();
}

/** Evaluates all documents that may match, even after a refusal. */
export function askAll<S extends Sort>(
  plan: CheckPlan,
  sort: S,
  builder: DecisionBuilder,
  ask: Ask<S>,
  onMember: OnMember<S> = nothing,
): MaybePromise<void> {
  return plan[sort].length === 0 ? undefined : new Round(plan, sort, builder, ask, onMember, false).run();
}

function nothing(): void {}

/** The evaluation of one sort of documents for one request. */
class Round<S extends Sort> implements Governing {
  readonly #all: readonly Of<S>[];
  readonly #builder: DecisionBuilder;
  readonly #ask: Ask<S>;
  readonly #onMember: OnMember<S>;
  readonly #untilRefused: boolean;
  /** Undefined: every document is evaluated. */
  readonly #positions: SelectedPositions | undefined;
  #next = 0;

  constructor(
    plan: CheckPlan,
    sort: S,
    builder: DecisionBuilder,
    ask: Ask<S>,
    onMember: OnMember<S>,
    untilRefused: boolean,
  ) {
    this.#all = plan[sort];
    this.#builder = builder;
    this.#ask = ask;
    this.#onMember = onMember;
    this.#untilRefused = untilRefused;
    this.#positions = plan.selections?.[sort].positions(builder.scope.context.reads as Reads, this);
  }

  governs(group: Group): boolean | undefined {
    const held = evaluateCondition(group.match, this.#builder.scope);
    if (isPromise(held) || held instanceof Fault) return undefined;
    if (held)
      for (const position of group.members) this.#onMember(this.#all[position] as Of<S>, this.#builder);
    return held;
  }

  run(): MaybePromise<void> {
    for (;;) {
      if (this.#untilRefused && this.#builder.refusal !== undefined) return;
      const position = this.#nextPosition();
      if (position >= this.#all.length) return;
      const asked = this.#ask(this.#all[position] as Of<S>, this.#builder);
      if (isPromise(asked)) return asked.then(() => this.run());
    }
  }

  #nextPosition(): number {
    return this.#positions === undefined ? this.#next++ : this.#positions.next();
  }
}
