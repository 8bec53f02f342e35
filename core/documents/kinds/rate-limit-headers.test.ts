// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { faultsOfRateLimitHeaders } from "./rate-limit-headers.ts";

describe("the headers about quotas of a MeshConfig", () => {
  it("may be in several forms, or in none", () => {
    for (const forms of [
      [],
      ["RATELIMIT"],
      ["RATELIMIT", "X_RATELIMIT"],
      ["X_RATELIMIT", "RATELIMIT_DRAFT_7"],
    ] as const)
      assert.deepEqual(faultsOfRateLimitHeaders({ forms: [...forms] }), []);
    assert.deepEqual(faultsOfRateLimitHeaders({}), []);
  });

  it("are refused with two forms of the same names, and with a form twice", () => {
    assert.deepEqual(faultsOfRateLimitHeaders({ forms: ["RATELIMIT_DRAFT_7", "X_RATELIMIT", "RATELIMIT"] }), [
      {
        path: ["rateLimitHeaders", "forms", 0],
        message:
          "spec.rateLimitHeaders.forms[0] has the field names of RATELIMIT with other values: choose one of the two",
      },
    ]);
    assert.deepEqual(faultsOfRateLimitHeaders({ forms: ["X_RATELIMIT", "X_RATELIMIT"] }), [
      {
        path: ["rateLimitHeaders", "forms", 1],
        message: "spec.rateLimitHeaders.forms[1] repeats X_RATELIMIT",
      },
    ]);
  });
});
