// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { PilotService } from "../../api/pilot-service.ts";
import { NOTHING_KNOWN, type TrafficUpdate } from "../../core/traffic/resources/resource-set.ts";
import { clusterOf, configOf, EDGE } from "../testing/harness.test.ts";
import { sharingLimits } from "./limit-share.ts";

/** What a worker of `workers` gets when pilot sends `update`. */
function seenBy(workers: number, update: TrafficUpdate): TrafficUpdate | undefined {
  let seen: TrafficUpdate | undefined;
  const pilot: PilotService = {
    watch(_subscription, listener) {
      listener(update);
      return () => {};
    },
  };
  const node = { role: "edge", id: "e", host: "127.0.0.1", port: 0, trustedHops: 0 } as const;
  sharingLimits(pilot, workers).watch({ node, known: NOTHING_KNOWN }, (received) => (seen = received));
  return seen;
}

describe("a worker's share of the limits", () => {
  it("is a part of each limit on connections and requests, rounded up, and the other limits whole", () => {
    const limits = { ...EDGE.limits, maxConnections: 10 };
    const retryBudget = { percent: 20, minRetryConcurrency: 4 };
    const whole = clusterOf([], { maxRetries: 5, retryBudget });
    const config = configOf({ clusters: [whole], listeners: [{ ...EDGE, limits }] });
    const seen = seenBy(3, config);
    assert.deepEqual(seen?.listeners, {
      version: config.listeners.version,
      resources: [{ ...EDGE, limits: { ...limits, maxConnections: 4, maxHandshakes: 334 } }],
    });
    const [cluster] = seen?.clusters?.resources ?? [];
    assert.equal(cluster?.maxRequests, 342);
    assert.equal(cluster?.maxConnectionsPerEndpoint, 342);
    assert.equal(cluster?.maxRetries, 2);
    assert.deepEqual(cluster?.retryBudget, { percent: 20, minRetryConcurrency: 2 });
    assert.equal(seen?.routes, config.routes);
  });

  it("is no retry when there may be none", () => {
    const seen = seenBy(3, configOf({ clusters: [clusterOf([], { maxRetries: 0 })] }));
    const [cluster] = seen?.clusters?.resources ?? [];
    assert.equal(cluster?.maxRetries, 0);
    assert.ok(cluster !== undefined && !("retryBudget" in cluster));
  });

  it("is at least one connection, and leaves out what an update leaves out", () => {
    const limits = { ...EDGE.limits, maxConnections: 1 };
    const { listeners } = configOf({ clusters: [clusterOf([])], listeners: [{ ...EDGE, limits }] });
    const seen = seenBy(8, { listeners });
    assert.equal(seen?.listeners?.resources[0]?.limits.maxConnections, 1);
    assert.deepEqual(Object.keys(seen ?? {}), ["listeners"]);
  });
});
