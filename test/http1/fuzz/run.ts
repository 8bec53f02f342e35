// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { parseArgs } from "node:util";

import { createProgress } from "../../../tools/progress.ts";
import { describeCampaign, describeFound, runCampaign } from "./campaign.ts";

/**
 * Command line of the fuzzer: `npm run fuzz:http1 -- --cases 10000000 [--seconds 600] [--seed 1]`. Prints each
 * kind of divergence once, when it is found, and its progress on standard error.
 */
const { values } = parseArgs({
  options: {
    cases: { type: "string", default: "1000000" },
    seconds: { type: "string" },
    seed: { type: "string" },
  },
});

const startMs = performance.now();
const progress = createProgress();
const campaign = runCampaign({
  seed: Number(values.seed ?? Math.floor(Math.random() * 1_000_000_000)),
  cases: Number(values.cases),
  timeMs: values.seconds === undefined ? Number.POSITIVE_INFINITY : Number(values.seconds) * 1_000,
  onBatch: (soFar) => progress.at(describeCampaign(soFar, performance.now() - startMs)),
  onFound: (found) => console.log(`${describeFound(found)}\n`),
});
progress.done();
console.log(describeCampaign(campaign, performance.now() - startMs));
process.exitCode = campaign.found.size === 0 ? 0 : 1;
