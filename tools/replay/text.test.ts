// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { reportText, type ReplayOutcome } from "./text.ts";

const NONE = { observed: 0, estimated: 0 };

const outcome: ReplayOutcome = {
  report: {
    against: "baseline",
    requests: { observed: 1200, estimated: 12_000 },
    unchecked: NONE,
    unchanged: NONE,
    changes: [
      {
        change: "newly-denied",
        observed: 1,
        estimated: 10,
        policies: [
          {
            policy: "AccessPolicy/no",
            observed: 1,
            estimated: 10,
            examples: [
              {
                where: "log:7",
                time: "2026-01-01T00:00:00.000Z",
                request: "GET shop/\u001b[31m",
                before: { kind: "allowed", code: "OK" },
                after: { kind: "denied", code: "PERMISSION_DENIED", message: "no" },
                unreliable: [{ attribute: "request.api_key", reason: "redacted" }],
              },
            ],
          },
        ],
      },
    ],
    faults: [],
    quotas: [],
    quotaNotes: { late: 0, uncounted: 0 },
    series: [
      {
        metric: "m",
        series: 3,
        added: 1,
        removed: 2,
        more: false,
        labels: [{ label: "a", values: 3, redacted: true }],
      },
    ],
    unreliable: [{ attribute: "request.api_key", reason: "redacted", observed: 1, estimated: 10 }],
  },
  malformed: { count: 7, first: [{ where: "log:1", problem: "not a JSON object" }] },
  unanswered: new Map([["opa", 3]]),
  failed: ["newly-denied"],
};

describe("a replay's report as text", () => {
  it("has a line for each finding, and no empty sections", () => {
    assert.equal(
      reportText(outcome),
      `1,200 (about 12,000) requests; compared with the baseline
7 lines are malformed and left out:
  log:1: not a JSON object
  and 6 more

Decisions
  unchanged: 0
  newly denied: 1 (about 10)
    AccessPolicy/no: 1 (about 10)
      log:7 2026-01-01T00:00:00.000Z GET shop/\\u001b[31m: OK -> PERMISSION_DENIED "no" (unreliable)

Series
  m: 3 series (1 new, 2 gone); values: a 3 (redacted)

Doubtful
  1 (about 10) decisions read request.api_key, which the log redacts: unreliable
  handler opa was not asked, since it needs a backend: 3 questions count as passed

Failed on: newly-denied
`,
    );
  });
});
