// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Reads } from "../../expressions/runtime/reads/reads.ts";
import { isPromise, type MaybePromise } from "../../kernel/maybe-promise.ts";
import { evaluateCondition, Fault } from "./evaluation.ts";
import type { CheckPlan, Sort } from "./plan.ts";
import type { Group } from "./selection/policy-selection.ts";
import type { DecisionBuilder } from "./decision-builder.ts";

/** Evaluates the documents that may match, in order, until one refuses the request. */
export function askEach<S extends Sort>(
  plan: CheckPlan,
  sort: S,
  builder: DecisionBuilder,
  ask: Ask<S>,
  onGroup?: OnGroup<S>,
): MaybePromise<void> {
  return askAll(plan, sort, builder, ask, onGroup, () => builder.refusal !== undefined);
}

type Of<S extends Sort> = CheckPlan[S][number];
type Ask<S extends Sort> = (document: Of<S>) => MaybePromise<void>;
type OnGroup<S extends Sort> = (members: readonly Of<S>[]) => void;

/**
 * Evaluates all documents that may match, even after a refusal.
 *
 * @param onGroup Called with documents that all match the request, of which only some will be evaluated.
 */
export function askAll<S extends Sort>(
  plan: CheckPlan,
  sort: S,
  builder: DecisionBuilder,
  ask: Ask<S>,
  onGroup: OnGroup<S> = () => undefined,
  isDone: () => boolean = () => false,
): MaybePromise<void> {
  const all: readonly Of<S>[] = plan[sort];
  const selection = plan.selections?.[sort];
  const { reads } = builder.scope.context;
  const governs = (group: Group): boolean | undefined => {
    const held = evaluateCondition(group.match, builder.scope);
    if (isPromise(held) || held instanceof Fault) return undefined;
    if (held) onGroup(group.members.map((position) => all[position] as Of<S>));
    return held;
  };
  const positions = selection === undefined ? all.keys() : selection.positions(reads as Reads, governs);
  return next();

  function next(): MaybePromise<void> {
    for (;;) {
      if (isDone()) return;
      const { done, value } = positions.next();
      if (done === true) return;
      const asked = ask(all[value as number] as Of<S>);
      if (isPromise(asked)) return asked.then(next);
    }
  }
}
