// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Progress } from "../../tools/progress.ts";
import { measureAlternating, type Sink } from "../../tools/bench/timing.ts";
import { Disagreement, round } from "../measure-expressions.ts";
import { CASBIN } from "./casbin.ts";
import { CEDAR } from "./cedar.ts";
import { JSON_LOGIC } from "./json-logic.ts";
import { PURSER } from "./ours.ts";
import { decisionRequests } from "./requests.ts";
import { type DecisionRequest, policyRules } from "./rules.ts";

const SIZES = [10, 10_000] as const;
export const ENGINES = [PURSER, CASBIN, CEDAR, JSON_LOGIC] as const;

/** One engine's results: nanoseconds for a decision at each size, and the ratio of the sizes. */
export interface DecisionFigures {
  readonly policies_10_ns: number;
  readonly policies_10000_ns: number;
  readonly ratio: number;
}

/**
 * Times the whole decision with each engine at both sizes, after checking that all engines decide every
 * request alike.
 * @throws {Disagreement} before a size is timed.
 */
export async function measureDecisions(
  budgetMs: number,
  progress: Progress,
): Promise<Readonly<Record<string, DecisionFigures>>> {
  const prepared: (readonly TimedEngine[])[] = [];
  for (const size of SIZES) {
    progress.at(`decision over ${size} policies: preparing`);
    const requests = decisionRequests(size);
    const engines = await prepareEngines(size, requests);
    const differences = await decisionDifferences(engines, requests);
    if (differences.length > 0) throw new Disagreement(differences);
    prepared.push(engines);
  }
  // The two sizes of one engine alternate. Alternating engines would leave each with a cold cache.
  const figures: [string, DecisionFigures][] = [];
  for (const [index, { name }] of ENGINES.entries()) {
    progress.at(`decision with ${name}: timing`);
    const sink: Sink = { seen: 0 };
    const sizes = prepared.map((engines) => (engines[index] as TimedEngine).decide);
    const [smallNs = Number.NaN, largeNs = Number.NaN] = await measureAlternating(
      sizes,
      budgetMs / ENGINES.length,
      sink,
    );
    const ratio = round(largeNs / smallNs);
    figures.push([name, { policies_10_ns: round(smallNs), policies_10000_ns: round(largeNs), ratio }]);
  }
  return Object.fromEntries(figures);
}

export interface TimedEngine {
  readonly name: string;
  /** Decides the request with the number `turn`. */
  readonly decide: (turn: number) => boolean | Promise<boolean>;
}

export async function prepareEngines(
  size: number,
  requests: readonly DecisionRequest[],
): Promise<readonly TimedEngine[]> {
  const rules = policyRules(size);
  const prepared: TimedEngine[] = [];
  for (const definition of ENGINES) {
    const { name } = definition;
    const engine = await definition.prepare(rules);
    const inputs = requests.map((request) => engine.request(request));
    prepared.push({ name, decide: (turn) => engine.allows(inputs[turn % inputs.length]) });
  }
  return prepared;
}

/**
 * Requests that an engine decides otherwise than the first engine; also reported when the first decides all
 * alike.
 */
export async function decisionDifferences(
  [ours, ...peers]: readonly TimedEngine[],
  requests: readonly DecisionRequest[],
): Promise<readonly string[]> {
  if (ours === undefined) return ["no engine"];
  const lines: string[] = [];
  let allowed = 0;
  for (const [turn, request] of requests.entries()) {
    const expected = await ours.decide(turn);
    if (expected) allowed++;
    for (const { name, decide } of peers) {
      const actual = await decide(turn);
      if (actual !== expected)
        lines.push(
          `${name} ${actual ? "allows" : "denies"} what purser does not: ${JSON.stringify(request)}`,
        );
    }
  }
  if (allowed === 0 || allowed === requests.length)
    lines.push(`${allowed} of ${requests.length} are allowed`);
  return lines;
}
