// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { DestinationRuleSpec } from "../../core/documents/kinds/destination-rule.ts";
import { trafficPolicyOf } from "./traffic-policy.ts";

const ROUND_ROBIN = { simple: "ROUND_ROBIN" } as const;
const RANDOM = { simple: "RANDOM" } as const;
const POOL = { http: { maxRetries: 1 } };
const OUTLIERS = { consecutive5xxErrors: 1 };
const BUDGET = { percent: 10 };

const RULE: DestinationRuleSpec = {
  host: "a",
  trafficPolicy: {
    loadBalancer: ROUND_ROBIN,
    connectionPool: POOL,
    outlierDetection: OUTLIERS,
    retryBudget: BUDGET,
    portLevelSettings: [{ port: { number: 90 }, loadBalancer: RANDOM }, { port: { number: 91 } }],
  },
  subsets: [
    { name: "plain" },
    { name: "own", trafficPolicy: { connectionPool: {}, loadBalancer: RANDOM } },
    {
      name: "ports",
      trafficPolicy: {
        outlierDetection: {},
        portLevelSettings: [{ port: { number: 90 }, connectionPool: POOL }],
      },
    },
  ],
};

describe("the traffic policy of a port", () => {
  it("is empty without a rule", () => {
    assert.deepEqual(trafficPolicyOf(undefined, undefined, 80), {});
    assert.deepEqual(trafficPolicyOf({ host: "a" }, "v1", 80), {});
  });

  it("is the rule's, for a port without settings of its own", () => {
    const whole = {
      loadBalancer: ROUND_ROBIN,
      connectionPool: POOL,
      outlierDetection: OUTLIERS,
      retryBudget: BUDGET,
    };
    assert.deepEqual(trafficPolicyOf(RULE, undefined, 80), whole);
    assert.deepEqual(trafficPolicyOf(RULE, "plain", 80), whole);
  });

  it("replaces, not merges, the rule's settings by those of the port, which has no retry budget of its own", () => {
    assert.deepEqual(trafficPolicyOf(RULE, undefined, 90), { loadBalancer: RANDOM, retryBudget: BUDGET });
    assert.deepEqual(trafficPolicyOf(RULE, undefined, 91), { retryBudget: BUDGET });
    assert.deepEqual(trafficPolicyOf(RULE, "plain", 90), { loadBalancer: RANDOM, retryBudget: BUDGET });
  });

  it("has the fields of the subset before those of the rule", () => {
    assert.deepEqual(trafficPolicyOf(RULE, "own", 80), {
      loadBalancer: RANDOM,
      connectionPool: {},
      outlierDetection: OUTLIERS,
      retryBudget: BUDGET,
    });
    assert.deepEqual(trafficPolicyOf(RULE, "own", 91), {
      loadBalancer: RANDOM,
      connectionPool: {},
      retryBudget: BUDGET,
    });
  });

  it("has the settings of the subset's port before everything else", () => {
    assert.deepEqual(trafficPolicyOf(RULE, "ports", 90), { connectionPool: POOL, retryBudget: BUDGET });
    assert.deepEqual(trafficPolicyOf(RULE, "ports", 91), { outlierDetection: {}, retryBudget: BUDGET });
  });
});
