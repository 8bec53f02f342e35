// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag } from "../attributes/bag.ts";
import { Reads } from "../../expressions/runtime/reads/reads.ts";
import type { DocumentRef } from "../check/document-ref.ts";
import { evaluateCondition, Fault, type Scope } from "../check/evaluation.ts";
import { chain, type MaybePromise, reduceInOrder } from "../../kernel/maybe-promise.ts";
import type { ReportInstance } from "../templates/instances.ts";
import type { ReportPlan, ReportSource } from "./report-source.ts";

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

/**
 * Evaluates all report documents for one complete bag, in document order. A document that fails reports
 * nothing, and does not affect the others. Never throws or rejects because of an expression.
 */
export function evaluateReport(
  plan: ReportPlan,
  bag: AttributeBag,
  context: ReportContext,
): MaybePromise<readonly ReportItem[]> {
  // The reads are not used, but sharing Reads evaluates attributes that several documents read only once.
  const scope: Scope = { bag, context: { nowMs: context.timeMs, reads: new Reads(bag) }, cacheable: true };
  const items: ReportItem[] = [];
  return reduceInOrder(plan.sources, items, (_, source) =>
    chain(instanceOf(source, scope, context), (filled) => {
      if (filled instanceof Fault) context.onFault?.(source.ref, filled);
      else if (filled !== undefined)
        for (const handler of source.handlers) items.push({ ...filled, handler });
      return items;
    }),
  );
}

function instanceOf(source: ReportSource, scope: Scope, context: ReportContext) {
  return chain(evaluateCondition(source.match, scope), (matched) => {
    if (matched instanceof Fault) return matched;
    return matched ? source.fill(scope, context.timeMs, context.snapshot) : undefined;
  });
}
