// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { parseDictionary, parseList } from "structured-headers";
import { draft7Fields, type ShownQuota, shownQuota, xRateLimitValues } from "./older-rate-limit-fields.ts";

const HOURLY = { policy: "hourly", limit: 100, windowMs: 3_600_000, remaining: 7, resetMs: 41_001 };
const DAILY = { policy: "daily", limit: 1_000, windowMs: 86_400_000, remaining: 7, resetMs: 50_000 };
const BURST = { policy: "burst", limit: 5, windowMs: 500, remaining: 4.5, resetMs: 300 };

describe("the quota that older fields show", () => {
  it("is the one with the least left, and of equal ones the slowest", () => {
    assert.equal(shownQuota([]), undefined);
    assert.deepEqual(shownQuota([HOURLY, BURST]), { limit: 5, remaining: 4, resetS: 1 });
    assert.deepEqual(shownQuota([HOURLY, DAILY]), { limit: 1_000, remaining: 7, resetS: 50 });
    assert.deepEqual(shownQuota([DAILY, HOURLY]), { limit: 1_000, remaining: 7, resetS: 50 });
  });

  it("is the exhausted one, with the time of Retry-After", () => {
    const exhausted = { policy: "hourly", retryAfterS: 90 };
    assert.deepEqual(shownQuota([BURST, HOURLY, DAILY], exhausted), { limit: 100, remaining: 7, resetS: 90 });
    // A hidden quota refuses: the fields tell of the others.
    assert.deepEqual(shownQuota([BURST], exhausted), { limit: 5, remaining: 4, resetS: 1 });
  });
});

describe("older fields", () => {
  it("of draft 07 are a list of limits, and a dictionary about the shown quota", () => {
    const quotas = [HOURLY, BURST];
    const { policy, standing } = draft7Fields(quotas, shownQuota(quotas) as ShownQuota);
    assert.equal(policy, "100;w=3600, 5;w=1");
    assert.equal(standing, "limit=5, remaining=4, reset=1");
    assert.equal(parseList(policy).length, 2);
    assert.deepEqual([...parseDictionary(standing).keys()], ["limit", "remaining", "reset"]);
  });

  it("of X-RateLimit are three numbers", () => {
    assert.deepEqual(xRateLimitValues({ limit: 5, remaining: 4, resetS: 1 }), ["5", "4", "1"]);
  });
});
