// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag } from "../../core/attributes/bag.ts";
import { decide } from "../../core/check/decide.ts";
import type { Decision } from "../../core/check/decision.ts";
import { planChecks } from "../../core/check/plan.ts";
import type { Expression } from "../../core/expressions/expression.ts";
import { attempt, isPromise, type MaybePromise, reduceInOrder } from "../../kernel/maybe-promise.ts";
import type { Snapshot } from "../../core/snapshot/snapshot.ts";
import { measureAllocation } from "./allocation.ts";
import { documentsWithExpressions } from "./documents.ts";
import type { Progress } from "../progress.ts";
import { measureAlternating, quantile, type Sink } from "./timing.ts";

export interface PolicyFigures {
  readonly kind: string;
  readonly name: string;
  readonly place: string;
  readonly expressions: number;
  /** Time to evaluate all its expressions once, in nanoseconds. */
  readonly ns: number;
  /** Number of bags on which one of its expressions failed. */
  readonly faults: number;
}

export interface DecisionFigures {
  readonly decisions: number;
  readonly p50_us: number;
  readonly p99_us: number;
  readonly allocated_bytes: number;
  /** Number of bags that are allowed. */
  readonly allowed_bags: number;
}

export interface Work {
  readonly snapshot: Snapshot;
  readonly bags: readonly AttributeBag[];
  readonly nowMs: number;
  readonly budgetMs: number;
  readonly progress: Progress;
}

/** Measures each document's expressions, without recording which attributes they read. */
export async function measurePolicies(work: Work): Promise<readonly PolicyFigures[]> {
  const { snapshot, bags, nowMs, budgetMs, progress } = work;
  const documents = documentsWithExpressions(snapshot);
  const sink: Sink = { seen: 0 };
  const figures: PolicyFigures[] = [];
  for (const [index, { kind, name, file, line, expressions }] of documents.entries()) {
    progress.at(`${index + 1} of ${documents.length}: ${kind} ${name}`);
    let faults = 0;
    for (const bag of bags) {
      let failed = false;
      await evaluateAll(expressions, bag, nowMs, () => {
        failed = true;
      });
      if (failed) faults++;
    }
    const [ns = Number.NaN] = await measureAlternating(
      [(turn) => evaluateAll(expressions, bags[turn % bags.length] as AttributeBag, nowMs, () => {})],
      budgetMs / documents.length,
      sink,
    );
    figures.push({
      kind,
      name,
      place: `${file}:${line}`,
      expressions: expressions.length,
      ns: Math.round(ns),
      faults,
    });
  }
  return figures;
}

function evaluateAll(
  expressions: readonly Expression[],
  bag: AttributeBag,
  nowMs: number,
  onFault: () => void,
): MaybePromise<unknown> {
  return reduceInOrder(expressions, undefined as unknown, (_, expression) =>
    attempt(() => expression.evaluate(bag, { nowMs }), onFault),
  );
}

const WARM_UP_SHARE = 0.3;
const MIN_DECISIONS = 200;
/** More decisions would not make the 99th percentile more reliable. */
const MAX_DECISIONS = 200_000;
const ALLOCATION_SHARE = 0.2;
const MAX_ALLOCATION_TURNS = 20_000;

/** Measures the whole decision with all documents and bags; handlers of rules answer nothing. */
export async function measureDecision(work: Work): Promise<DecisionFigures> {
  const { snapshot, bags, nowMs, budgetMs, progress } = work;
  progress.at("the whole decision");
  const plan = planChecks(snapshot);
  const context = { nowMs, dispatch: { attributeSources: [], ask: () => undefined } };
  const decideTurn = (turn: number): MaybePromise<Decision> =>
    decide(plan, bags[turn % bags.length] as AttributeBag, context);
  let allowed = 0;
  for (let turn = 0; turn < bags.length; turn++) if ((await decideTurn(turn)).status.code === "OK") allowed++;
  await timeEach(decideTurn, budgetMs * WARM_UP_SHARE);
  const samplesUs = await timeEach(decideTurn, budgetMs * (1 - WARM_UP_SHARE - ALLOCATION_SHARE));
  const p50Us = quantile(samplesUs, 0.5);
  const turns = Math.round((budgetMs * ALLOCATION_SHARE * 1_000) / p50Us);
  const { bytesPerTurn } = await measureAllocation(
    decideTurn,
    Math.min(MAX_ALLOCATION_TURNS, Math.max(MIN_DECISIONS, turns)),
    { seen: 0 },
  );
  return {
    decisions: samplesUs.length,
    p50_us: round(p50Us),
    p99_us: round(quantile(samplesUs, 0.99)),
    allocated_bytes: Math.round(bytesPerTurn),
    allowed_bags: allowed,
  };
}

/** @returns Time of each decision, in microseconds. */
async function timeEach(
  decideTurn: (turn: number) => MaybePromise<Decision>,
  forMs: number,
): Promise<readonly number[]> {
  const samplesUs: number[] = [];
  const endMs = performance.now() + forMs;
  for (let turn = 0; turn < MAX_DECISIONS; turn++) {
    const startMs = performance.now();
    if (turn >= MIN_DECISIONS && startMs >= endMs) break;
    const decision = decideTurn(turn);
    if (isPromise(decision)) await decision;
    samplesUs.push((performance.now() - startMs) * 1_000);
  }
  return samplesUs;
}

const round = (value: number): number => Math.round(value * 100) / 100;
