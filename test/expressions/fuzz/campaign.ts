// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { type FuzzCase, fuzzCases } from "./fuzz-case.ts";
import { render } from "./tree.ts";
import { type Difference, judge, SOFT, type Verdict } from "./verdict.ts";

/** A divergence of the engines, with its case shrunk. */
export interface Divergence {
  readonly smallest: FuzzCase;
  readonly verdict: Verdict;
  /**
   * The kind, and the expression without its names and constants: equal for cases that probably have the same
   * cause.
   */
  readonly shape: string;
  /** Number of cases with this shape. */
  seen: number;
}

export interface Campaign {
  readonly seed: number;
  /** Evaluations of both engines. */
  cases: number;
  expressions: number;
  /** Each batch draws its expressions from its own seed, one higher than the previous batch's. */
  batches: number;
  /** Evaluations that the reference's guards stopped. */
  discarded: number;
  /** Number of divergences by kind. */
  readonly differences: Map<Difference, number>;
  /** Distinct divergences, by shape. */
  readonly divergences: Map<string, Divergence>;
}

export interface CampaignOptions {
  readonly seed: number;
  /** Number of evaluations after which the campaign stops. */
  readonly runs: number;
  /** Milliseconds after which the campaign stops. */
  readonly timeMs: number;
  readonly onBatch?: (campaign: Campaign) => void;
  readonly onDivergence?: (divergence: Divergence) => void;
  /** Called before each expression, so that an expression on which an engine hangs is known. */
  readonly onExpression?: (source: string) => void;
}

export const emptyCampaign = (seed: number): Campaign => ({
  seed,
  cases: 0,
  expressions: 0,
  batches: 0,
  discarded: 0,
  differences: new Map(),
  divergences: new Map(),
});

/** Adds `more` to `total`. */
export function mergeCampaign(total: Campaign, more: Campaign): Campaign {
  total.cases += more.cases;
  total.expressions += more.expressions;
  total.batches += more.batches;
  total.discarded += more.discarded;
  for (const [difference, count] of more.differences)
    total.differences.set(difference, (total.differences.get(difference) ?? 0) + count);
  for (const [shape, divergence] of more.divergences) {
    const known = total.divergences.get(shape);
    if (known === undefined) total.divergences.set(shape, divergence);
    else known.seen += divergence.seen;
  }
  return total;
}

const BATCH_EXPRESSIONS = 200;
/**
 * Most distinct divergences of a campaign; more than that have a common cause, which is to be fixed first.
 */
const DIVERGENCES_MAX = 200;
/** Most shrunk cases of each kind: the shape of a case is known only after shrinking. */
const SHRINKS_PER_KIND = 12;
const SHRINK_EVALUATIONS_MAX = 3_000;

/** Runs both engines on random cases and collects the divergences. Equal seeds give equal cases. */
export async function runCampaign(options: CampaignOptions): Promise<Campaign> {
  const campaign = emptyCampaign(options.seed);
  const shrinksByKind = new Map<string, number>();
  const endMs = performance.now() + options.timeMs;
  const isOver = () =>
    campaign.cases >= options.runs ||
    performance.now() >= endMs ||
    [...campaign.divergences.values()].filter(({ verdict }) => !SOFT.has(verdict.difference)).length >=
      DIVERGENCES_MAX;
  for (let batch = 0; !isOver(); batch++) {
    for (const drawn of fc.sample(fuzzCases, { seed: options.seed + batch, numRuns: BATCH_EXPRESSIONS })) {
      if (isOver()) break;
      await runOne(drawn, campaign, shrinksByKind, options);
    }
    campaign.batches++;
    options.onBatch?.(campaign);
  }
  return campaign;
}

async function runOne(
  drawn: FuzzCase,
  campaign: Campaign,
  shrinksByKind: Map<string, number>,
  { onDivergence, onExpression }: CampaignOptions,
): Promise<void> {
  const { evaluations, discarded, verdicts } = await judge(drawn, onExpression);
  campaign.expressions++;
  campaign.cases += evaluations;
  campaign.discarded += discarded;
  for (const { difference } of verdicts)
    campaign.differences.set(difference, (campaign.differences.get(difference) ?? 0) + 1);
  for (const verdict of firstOfEachKind(verdicts)) {
    const shrunk = shrinksByKind.get(kindOf(verdict)) ?? 0;
    if (shrunk >= shrinksFor(verdict)) continue;
    shrinksByKind.set(kindOf(verdict), shrunk + 1);
    const small = await shrink(drawn, verdict, onExpression);
    const known = campaign.divergences.get(small.shape);
    if (known === undefined) {
      campaign.divergences.set(small.shape, small);
      onDivergence?.(small);
    } else known.seen++;
  }
}

/** One example of a soft kind is enough. */
const shrinksFor = ({ difference }: Verdict): number => (SOFT.has(difference) ? 1 : SHRINKS_PER_KIND);

const kindOf = ({ difference, detail }: Verdict): string => `${difference}: ${detail}`;

function firstOfEachKind(verdicts: readonly Verdict[]): Verdict[] {
  const kinds = new Map<string, Verdict>();
  for (const verdict of verdicts) if (!kinds.has(kindOf(verdict))) kinds.set(kindOf(verdict), verdict);
  return [...kinds.values()];
}

/** Shrinks a case: repeatedly takes the first smaller case that diverges in the same way. */
async function shrink(
  found: FuzzCase,
  verdict: Verdict,
  onExpression: CampaignOptions["onExpression"],
): Promise<Divergence> {
  const kind = kindOf(verdict);
  let smallest = { expression: found, verdict };
  let evaluations = 0;
  for (let isSmaller = true; isSmaller && evaluations < SHRINK_EVALUATIONS_MAX; ) {
    isSmaller = false;
    for (const { value } of fuzzCases.shrink(smallest.expression, undefined)) {
      if (evaluations++ >= SHRINK_EVALUATIONS_MAX) break;
      const still = (await judge(value, onExpression)).verdicts.find((other) => kindOf(other) === kind);
      if (still === undefined) continue;
      smallest = { expression: value, verdict: still };
      isSmaller = true;
      break;
    }
  }
  const shape = shapeOf(smallest.expression, smallest.verdict);
  return { smallest: smallest.expression, verdict: smallest.verdict, shape, seen: 1 };
}

/** The kind, and the expression without its names, numbers and texts. */
function shapeOf(smallest: FuzzCase, verdict: Verdict): string {
  const skeleton = render(smallest.expression)
    .replaceAll(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, '""')
    .replaceAll(/`[^`]*`|(?<![$\w])[a-z]\w*/gi, "a")
    .replaceAll(/\d+(?:\.\d+)?(?:e[+-]?\d+)?/gi, "1");
  return `${kindOf(verdict)}: ${skeleton}`;
}
