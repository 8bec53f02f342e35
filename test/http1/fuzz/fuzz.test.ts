// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";

import { describeCampaign, describeFound, runCampaign } from "./campaign.ts";

/**
 * A fixed seed, so that only a change of the code makes a run fail; `npm run fuzz:http1` looks for new divergences.
 */
const SEED = 20_261_129;

/** FUZZ_SECONDS overrides it. */
const SECONDS = 5;

describe("random HTTP/1.1 messages", function () {
  const seconds = Number(process.env["FUZZ_SECONDS"] || SECONDS);
  this.timeout(seconds * 10_000);

  it("that ours accepts are framed by llhttp in the same way", () => {
    const startMs = performance.now();
    const campaign = runCampaign({ seed: SEED, cases: 100_000, timeMs: seconds * 1_000 });
    console.log(`      ${describeCampaign(campaign, performance.now() - startMs)}`);
    assert.ok(campaign.accepted > campaign.cases / 10, "most cases were refused");
    assert.ok(campaign.found.size === 0, [...campaign.found.values()].map(describeFound).join("\n"));
  });
});
