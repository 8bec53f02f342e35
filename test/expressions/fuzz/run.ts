// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { parseArgs } from "node:util";
import { runCampaign } from "./campaign.ts";
import { describeCampaign, describeDivergence } from "./report.ts";
import { SOFT } from "./verdict.ts";

/**
 * The long form of the fuzzer: `npm run fuzz -- --runs 1000000 [--seconds 600] [--seed 1] [--soft] [--trace]`. Prints each
 * distinct divergence once, as it is found; with --soft those of position, token and message as well; with --trace each expression before
 * it is run, which names one that hangs.
 */
const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "1000000" },
    seconds: { type: "string" },
    seed: { type: "string" },
    soft: { type: "boolean", default: false },
    trace: { type: "boolean", default: false },
  },
});

/** Time between two lines of progress. */
const PROGRESS_MS = 10_000;

Error.stackTraceLimit = 0;
const startMs = performance.now();
let printedMs = startMs;
const campaign = await runCampaign({
  seed: Number(values.seed ?? Math.floor(Math.random() * 1_000_000_000)),
  runs: Number(values.runs),
  timeMs: values.seconds === undefined ? Number.POSITIVE_INFINITY : Number(values.seconds) * 1_000,
  onDivergence: (divergence) => {
    if (values.soft || !SOFT.has(divergence.verdict.difference))
      console.log(`${describeDivergence(divergence)}\n`);
  },
  onBatch: (soFar) => {
    const nowMs = performance.now();
    if (nowMs - printedMs < PROGRESS_MS) return;
    printedMs = nowMs;
    console.log(describeCampaign(soFar, nowMs - startMs));
  },
  ...(values.trace ? { onExpression: (source: string) => console.log(source) } : {}),
});
console.log(describeCampaign(campaign, performance.now() - startMs));
const hard = [...campaign.divergences.values()].filter(({ verdict }) => !SOFT.has(verdict.difference));
console.log(`${hard.length} distinct divergences, ${campaign.divergences.size - hard.length} soft ones`);
process.exitCode = hard.length === 0 ? 0 : 1;
