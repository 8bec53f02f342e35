// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";

import { Draw } from "../../expressions/fuzz/draw.ts";
import { compare, type Divergence } from "./compare.ts";
import { drawCase } from "./draw-case.ts";
import type { FuzzCase } from "./framed-message.ts";

export interface Found extends Divergence {
  /** The first case of this kind, shrunk. */
  readonly smallest: FuzzCase;
  /** Number of cases of this kind. */
  seen: number;
}

export interface Campaign {
  readonly seed: number;
  cases: number;
  /** Number of whole messages that ours accepted: a fuzzer whose cases are all refused finds nothing. */
  accepted: number;
  /** By kind. */
  readonly found: Map<string, Found>;
}

export interface CampaignOptions {
  readonly seed: number;
  readonly cases: number;
  readonly timeMs: number;
  readonly onBatch?: (campaign: Campaign) => void;
  readonly onFound?: (found: Found) => void;
}

const BATCH_CASES = 500;

class FuzzCases extends fc.Arbitrary<FuzzCase> {
  override generate(random: fc.Random): fc.Value<FuzzCase> {
    return new fc.Value(drawCase(new Draw(random)), undefined);
  }

  override canShrinkWithoutContext(_value: unknown): _value is FuzzCase {
    return false;
  }

  override shrink(): fc.Stream<fc.Value<FuzzCase>> {
    return fc.Stream.nil();
  }
}

const fuzzCases = new FuzzCases();

/** Compares the two parsers on random cases. Equal seeds give equal cases. */
export function runCampaign(options: CampaignOptions): Campaign {
  const campaign: Campaign = { seed: options.seed, cases: 0, accepted: 0, found: new Map() };
  const endMs = performance.now() + options.timeMs;
  for (let batch = 0; campaign.cases < options.cases && performance.now() < endMs; batch++) {
    const numRuns = Math.min(BATCH_CASES, options.cases - campaign.cases);
    for (const one of fc.sample(fuzzCases, { seed: options.seed + batch, numRuns })) {
      const { accepted, divergence } = compare(one);
      campaign.cases++;
      campaign.accepted += accepted;
      if (divergence === undefined) continue;
      const known = campaign.found.get(divergence.kind);
      if (known !== undefined) known.seen++;
      else {
        const found = shrink(one, divergence);
        campaign.found.set(found.kind, found);
        options.onFound?.(found);
      }
    }
    options.onBatch?.(campaign);
  }
  return campaign;
}

/** Takes bytes out of a case for as long as a divergence of the same kind remains. */
function shrink(found: FuzzCase, divergence: Divergence): Found {
  let smallest = found;
  let last = divergence;
  const accept = (smaller: FuzzCase): boolean => {
    const other = compare(smaller).divergence;
    if (other?.kind !== divergence.kind) return false;
    smallest = smaller;
    last = other;
    return true;
  };
  accept({ ...smallest, splits: [] });
  for (let size = smallest.text.length >> 1; size >= 1; size >>= 1) {
    for (let at = 0; at + size <= smallest.text.length; ) {
      const text = smallest.text.slice(0, at) + smallest.text.slice(at + size);
      if (!accept({ ...smallest, text })) at += size;
    }
  }
  return { ...last, smallest, seen: 1 };
}

export function describeFound({ kind, detail, smallest, seen }: Found): string {
  return `${kind} (${seen})\n  ${JSON.stringify(smallest.text)} to ${smallest.methods.join()}\n  ${detail}`;
}

export function describeCampaign({ seed, cases, accepted, found }: Campaign, elapsedMs: number): string {
  const perSecond = Math.round((cases / Math.max(elapsedMs, 1)) * 1_000);
  return `seed ${seed}: ${cases} cases, ${perSecond}/s, ${accepted} messages accepted, ${found.size} kinds of divergence`;
}
