// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag } from "../attributes/bag.ts";
import type { DocumentRef } from "../check/document-ref.ts";
import { evaluateCondition, Fault } from "../check/evaluation.ts";
import { chain, isPromise, type MaybePromise } from "../../kernel/maybe-promise.ts";
import type { ReportInstance } from "../templates/instances.ts";
import { ReportScope } from "./report-scope.ts";
import type { Filled, ReportPlan, ReportSource, SourceInstance } from "./report-source.ts";

/** An instance for one handler. */
export type ReportItem = ReportInstance & { readonly handler: string };

export interface ReportContext {
  /** When the request ended, in milliseconds since the epoch; the time of its instances and of $now(). */
  readonly timeMs: number;
  /** The version of the documents, for templates that carry it. */
  readonly snapshot?: string;
  /** Called for each document that failed and therefore reports nothing for this bag. Must not throw. */
  readonly onFault?: (document: DocumentRef, fault: Fault) => void;
}

/** @param index The index of the instance's source in the plan. */
export type TakeInstance = (index: number, instance: SourceInstance) => void;

/**
 * Evaluates all report documents for one complete bag, in document order, and passes each instance to `take`.
 * A document that fails reports nothing, and does not affect the others. Never throws or rejects because of an
 * expression. Waits only for interpreted expressions.
 */
export function fillReport(
  { sources }: ReportPlan,
  bag: AttributeBag,
  context: ReportContext,
  take: TakeInstance,
): MaybePromise<void> {
  const scope = new ReportScope(bag, context.timeMs);
  for (let index = 0; index < sources.length; index++) {
    const filled = instanceOf(sources[index] as ReportSource, scope, context);
    if (isPromise(filled)) return fillLater(sources, scope, context, take, index, filled);
    settle(sources[index] as ReportSource, filled, context, take, index);
  }
}

/** The same as fillReport, with a list of the instances for all handlers. */
export function evaluateReport(
  plan: ReportPlan,
  bag: AttributeBag,
  context: ReportContext,
): MaybePromise<readonly ReportItem[]> {
  const items: ReportItem[] = [];
  const done = fillReport(plan, bag, context, (index, instance) => {
    const { template, handlers } = plan.sources[index] as ReportSource;
    // The instance is of its source's template.
    for (const handler of handlers) items.push({ template, instance, handler } as ReportItem);
  });
  return chain(done, () => items);
}

async function fillLater(
  sources: readonly ReportSource[],
  scope: ReportScope,
  context: ReportContext,
  take: TakeInstance,
  from: number,
  pending: Promise<Filled>,
): Promise<void> {
  let filled = await pending;
  for (let index = from; ; index++) {
    settle(sources[index] as ReportSource, filled, context, take, index);
    const next = sources[index + 1];
    if (next === undefined) return;
    filled = await instanceOf(next, scope, context);
  }
}

function settle(
  { ref }: ReportSource,
  filled: Filled,
  { onFault }: ReportContext,
  take: TakeInstance,
  index: number,
): void {
  if (filled instanceof Fault) onFault?.(ref, filled);
  else if (filled !== undefined) take(index, filled);
}

function instanceOf(
  { match, fill }: ReportSource,
  scope: ReportScope,
  { timeMs, snapshot }: ReportContext,
): MaybePromise<Filled> {
  if (match === undefined) return fill(scope, timeMs, snapshot);
  return chain(evaluateCondition(match, scope), (matched) => {
    if (matched instanceof Fault) return matched;
    return matched ? fill(scope, timeMs, snapshot) : undefined;
  });
}
