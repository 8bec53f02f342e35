// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { parseArgs } from "node:util";
import { describeCampaign, describeDivergence } from "./report.ts";
import { superviseCampaign } from "./supervisor.ts";
import { SOFT } from "./verdict.ts";

/**
 * Command line of the fuzzer: `npm run fuzz -- --runs 1000000 [--seconds 600] [--seed 1] [--soft]`. Prints
 * each distinct divergence once, when it is found; with --soft also those of position, token and message.
 */
const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "1000000" },
    seconds: { type: "string" },
    seed: { type: "string" },
    soft: { type: "boolean", default: false },
  },
});

/** Time between two progress lines, in milliseconds. */
const PROGRESS_MS = 10_000;

const startMs = performance.now();
let printedMs = startMs;
const { campaign, hangs } = await superviseCampaign({
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
  onHang: (source) => console.log(`does not end: ${source}\n`),
});
console.log(describeCampaign(campaign, performance.now() - startMs));
const hard = [...campaign.divergences.values()].filter(({ verdict }) => !SOFT.has(verdict.difference));
console.log(
  `${hangs.length} hangs, ${hard.length} distinct divergences, ${campaign.divergences.size - hard.length} soft ones`,
);
process.exitCode = hard.length + hangs.length === 0 ? 0 : 1;
