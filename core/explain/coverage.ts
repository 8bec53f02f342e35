// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type DocumentRef, formatDocumentRef } from "../check/document-ref.ts";
import type { CheckPlan } from "../check/plan.ts";
import type { Trace } from "./trace.ts";
import type { OutlineNode } from "../../expressions/tracing/syntax-outline.ts";
import { outlineParts } from "../../expressions/tracing/syntax-outline.ts";
import type { Tracer } from "../../expressions/tracing/traced-expression.ts";
import { replaceExpressions } from "./traced-plan.ts";

/** Coverage of one expression. */
export interface ExpressionCoverage {
  readonly document: DocumentRef;
  readonly field: string;
  readonly source: string;
  readonly parts: number;
  readonly partsReached: number;
  /** Two branches of each `and`, `or`, `?`, `?:` and `??`. */
  readonly branches: number;
  readonly branchesTaken: number;
  readonly gaps: readonly CoverageGap[];
}

/** A part or branch of an expression that was never evaluated. */
export interface CoverageGap {
  readonly start: number;
  readonly end: number;
  readonly what: string;
}

interface PartCounts {
  readonly outline: OutlineNode;
  readonly counts: { reached: number; count: number }[];
}

/** Adds up traces of the expressions that decide requests. */
export class Coverage {
  readonly #counts = new Map<string, PartCounts>();

  add(document: DocumentRef, field: string, { outline, parts }: Trace): void {
    const key = keyOf(document, field);
    let known = this.#counts.get(key);
    if (known === undefined) {
      known = { outline, counts: parts.map(() => ({ reached: 0, count: 0 })) };
      this.#counts.set(key, known);
    }
    for (const [index, total] of known.counts.entries()) {
      total.reached += parts[index]?.reached ?? 0;
      total.count += parts[index]?.count ?? 0;
    }
  }

  /**
   * Coverage of every expression in the plan, including expressions that were never evaluated, in document
   * order.
   */
  report(plan: CheckPlan, tracer: Tracer): readonly ExpressionCoverage[] {
    const found: ExpressionCoverage[] = [];
    replaceExpressions(plan, ({ ref }, field, expression) => {
      const { source } = expression;
      const counts = this.#counts.get(keyOf(ref, field)) ?? untouched(tracer(source).outline);
      found.push({ document: ref, field, source, ...measure(counts) });
      return expression;
    });
    return found;
  }
}

/** Parts and branches together, from 0 to 100; 100 when there are none. */
export function coveragePercent(expressions: readonly ExpressionCoverage[]): number {
  let all = 0;
  let covered = 0;
  for (const { parts, partsReached, branches, branchesTaken } of expressions) {
    all += parts + branches;
    covered += partsReached + branchesTaken;
  }
  return all === 0 ? 100 : (100 * covered) / all;
}

function keyOf(document: DocumentRef, field: string): string {
  return `${formatDocumentRef(document)}/${field}`;
}

function untouched(outline: OutlineNode): PartCounts {
  return { outline, counts: outlineParts(outline).map(() => ({ reached: 0, count: 0 })) };
}

function measure({ outline, counts }: PartCounts) {
  const gaps: CoverageGap[] = [];
  const total = { parts: 0, partsReached: 0, branches: 0, branchesTaken: 0 };
  const of = ({ index }: OutlineNode) => counts[index] ?? { reached: 0, count: 0 };
  const visit = (part: OutlineNode, withinGap: boolean): void => {
    const reached = of(part).reached > 0;
    total.parts++;
    if (reached) total.partsReached++;
    else if (!withinGap) gaps.push({ start: part.start, end: part.end, what: "never reached" });
    for (const { taken, gap } of branchesOf(part, of)) {
      total.branches++;
      if (taken) total.branchesTaken++;
      else if (reached && gap !== undefined) gaps.push(gap);
    }
    for (const child of part.children) visit(child, withinGap || !reached);
  };
  visit(outline, false);
  return { ...total, gaps: gaps.toSorted((a, b) => a.start - b.start) };
}

interface Branch {
  readonly taken: boolean;
  /** The gap when the branch was not taken; absent when an unreached part already is the gap. */
  readonly gap?: CoverageGap;
}

function branchesOf(
  { kind, children }: OutlineNode,
  of: (part: OutlineNode) => { readonly reached: number; readonly count: number },
): readonly Branch[] {
  const [first, second, third] = children;
  if (first === undefined || second === undefined || !(kind in SHORT)) return [];
  const skipped = of(first).count - of(second).reached > 0;
  // The other branch is a part of its own, which is then reported as never reached.
  if (kind === "?" && third !== undefined)
    return [{ taken: of(second).reached > 0 }, { taken: of(third).reached > 0 }];
  const { start, end } = first;
  const what = SHORT[kind as keyof typeof SHORT];
  return [{ taken: of(second).reached > 0 }, { taken: skipped, gap: { start, end, what } }];
}

/** The gap when the second part was always evaluated. */
const SHORT = {
  and: "never false",
  or: "never true",
  "?": "never false",
  "?:": "never true",
  "??": "never has a value",
} as const;
