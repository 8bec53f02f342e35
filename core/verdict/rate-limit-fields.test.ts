// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { standingOf } from "../quota/standing.ts";
import { rateLimitFields, retryAfterSeconds } from "./rate-limit-fields.ts";

const HOURLY = { policy: "hourly", limit: 100, windowMs: 3_600_000, remaining: 7, resetMs: 41_001 };

describe("RateLimit fields", () => {
  it("have a member for each quota, in whole seconds rounded up", () => {
    const burst = { policy: "shop/burst", limit: 5, windowMs: 500, remaining: 0, resetMs: 0 };
    assert.deepEqual(rateLimitFields([HOURLY, burst]), {
      policy: '"hourly";q=100;w=3600, "shop/burst";q=5;w=1',
      standing: '"hourly";r=7;t=42, "shop/burst";r=0;t=0',
    });
  });

  it("have the time of Retry-After for an exhausted quota", () => {
    const { standing } = rateLimitFields([HOURLY], { policy: "hourly", retryAfterS: 90 });
    assert.equal(standing, '"hourly";r=7;t=90');
  });

  it("can be parsed for any policy name and any limit", () => {
    const strange = { ...HOURLY, policy: 'é"\\', limit: 1e20, remaining: 1.5 };
    const fields = rateLimitFields([strange]);
    assert.equal(fields.policy, '"?\\"\\\\";q=999999999999999;w=3600');
    assert.equal(fields.standing, '"?\\"\\\\";r=1;t=42');
  });

  it("never invite a retry at once", () => {
    assert.deepEqual([0, 1, 1_000, 1_001].map(retryAfterSeconds), [1, 1, 1, 2]);
  });

  it("never give a negative remainder", () => {
    const { policy, limit, windowMs } = HOURLY;
    assert.equal(standingOf({ policy, limit, windowMs }, { remaining: -1, resetMs: 5 }).remaining, 0);
  });
});
