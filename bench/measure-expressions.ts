// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Progress } from "../tools/progress.ts";
import { measureAlternating, quantile, runBatch, type Sink } from "../tools/bench/timing.ts";
import { disagreements } from "./agreement.ts";
import { BAGS, CASES } from "./corpus/index.ts";
import { enginesFor } from "./engines.ts";

export interface ExpressionFigures {
  readonly median_speedup: number;
  readonly min_speedup: number;
  readonly count: number;
  readonly cases: readonly CaseFigures[];
}

export interface CaseFigures {
  readonly name: string;
  readonly source: string;
  readonly ours_ns: number;
  readonly jsonata_ns: number;
  readonly speedup: number;
  readonly engine: "compiled" | "interpreted";
}

const WARM_UP_TURNS = 200;

/**
 * The bags repeated to a power of two, so that a mask picks one: a modulo would take as long as a short
 * expression.
 */
const RING = Array.from({ length: 1_024 }, (_, index) => BAGS[index % BAGS.length]);
const bagOf = (turn: number) => RING[turn & (RING.length - 1)];

/**
 * Checks that both engines agree on the whole corpus, then times each expression with both.
 * @throws {Disagreement} before any expression is timed.
 */
export async function measureExpressions(budgetMs: number, progress: Progress): Promise<ExpressionFigures> {
  const compiled = CASES.map((example) => ({ ...example, engines: enginesFor(example) }));
  const differences: string[] = [];
  for (const example of compiled) differences.push(...(await disagreements(example, example.engines, BAGS)));
  if (differences.length > 0) throw new Disagreement(differences);
  const sink: Sink = { seen: 0 };
  progress.at("warming up");
  // A warm-up of all expressions first: code that they share is compiled by then, so their order does not
  // matter.
  for (const { engines } of compiled)
    for (const evaluate of [engines.ours, engines.theirs])
      await runBatch((turn) => evaluate(bagOf(turn)), WARM_UP_TURNS, 0, sink);
  const cases: CaseFigures[] = [];
  for (const [index, { name, source, engines }] of compiled.entries()) {
    progress.at(`expression ${index + 1} of ${compiled.length}: ${name}`);
    const [oursNs = 0, theirsNs = 0] = await measureAlternating(
      [(turn) => engines.ours(bagOf(turn)), (turn) => engines.theirs(bagOf(turn))],
      budgetMs / compiled.length,
      sink,
    );
    cases.push({
      name,
      source,
      ours_ns: round(oursNs),
      jsonata_ns: round(theirsNs),
      speedup: Math.round((theirsNs / oursNs) * 100) / 100,
      engine: engines.engine,
    });
  }
  const speedups = cases.map(({ speedup }) => speedup);
  return {
    median_speedup: quantile(speedups, 0.5),
    min_speedup: quantile(speedups, 0),
    count: cases.length,
    cases,
  };
}

/** The error of engines that give different results: their speeds are not comparable. */
export class Disagreement extends Error {
  constructor(lines: readonly string[]) {
    super(`${lines.join("\n")}\n${lines.length} differences: nothing was timed`);
  }
}

/** Rounds to one decimal place. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}
