// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";

import { describeCampaign, describeDivergence } from "./report.ts";
import { superviseCampaign } from "./supervisor.ts";
import { SOFT } from "./verdict.ts";

/**
 * A fixed seed, so that only a change of the code makes a run fail; `npm run fuzz` looks for new divergences.
 */
const DEFAULT_SEED = 20_261_127;

/** Default of FUZZ_SECONDS; FUZZ_RUNS and FUZZ_SEED override the other settings. */
const SECONDS_DEFAULT = 20;
const RUNS_DEFAULT = 5_000;

/** Factor of the timeout over the campaign's time: shrinking may take several times as long. */
const TIMEOUT_FACTOR = 6;

describe("random expressions", function () {
  const seconds = numberFrom("FUZZ_SECONDS") ?? SECONDS_DEFAULT;
  this.timeout(seconds * 1_000 * TIMEOUT_FACTOR);

  it("give the reference's results", async () => {
    const seed = numberFrom("FUZZ_SEED") ?? DEFAULT_SEED;
    const startMs = performance.now();
    const { campaign, hangs } = await superviseCampaign({
      seed,
      runs: numberFrom("FUZZ_RUNS") ?? RUNS_DEFAULT,
      timeMs: seconds * 1_000,
    });
    console.log(`      ${describeCampaign(campaign, performance.now() - startMs)}`);
    const hard = [...campaign.divergences.values()].filter(({ verdict }) => !SOFT.has(verdict.difference));
    assert.deepEqual(hangs, [], `FUZZ_SEED=${seed} finds expressions that do not end`);
    assert.ok(campaign.cases > 0, "no case was run");
    assert.ok(hard.length === 0, `FUZZ_SEED=${seed} finds:\n${hard.map(describeDivergence).join("\n")}`);
  });
});

function numberFrom(variable: string): number | undefined {
  const text = process.env[variable];
  if (text === undefined || text === "") return undefined;
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0)
    throw new Error(`${variable} must be a number from 0, not ${text}`);
  return value;
}
