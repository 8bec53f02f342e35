// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";

import { DEFAULT_LISTENER_LIMITS } from "../../../../core/traffic/listener-limits.ts";
import { cleanUp, later, until } from "../../../testing/harness.test.ts";
import { memoryPressureOf, memoryUse } from "./memory-pressure.ts";
import { get, RawClient, startServer } from "./server-rig.test.ts";

describe("memory pressure", () => {
  afterEach(cleanUp);

  it("is told by the share of the heap's or the process' limit that is in use", () => {
    for (const [share, pressure] of [
      [0.94, "none"],
      [0.95, "stop-keep-alive"],
      [0.98, "refuse-connections"],
      [1.2, "refuse-connections"],
    ] as const) {
      assert.equal(memoryPressureOf({ heapShare: share, processShare: 0 }), pressure);
      assert.equal(memoryPressureOf({ heapShare: 0, processShare: share }), pressure);
    }
  });

  it("is read from V8 and the operating system", () => {
    const { heapShare, processShare } = memoryUse(64 * 1024 * 1024 * 1024);
    assert.ok(heapShare > 0 && heapShare < 1);
    assert.ok(processShare > 0 && processShare < 0.1);
    assert.ok(memoryUse(1).processShare > 1);
  });

  it("ends connections with their responses, then refuses new ones, and counts both", async () => {
    let heapShare = 0;
    const { port, events } = await startServer(undefined, {}, () => ({ heapShare, processShare: 0 }));
    const client = new RawClient(port, get("/"));
    await until(() => client.statuses === "200");
    heapShare = 0.96;
    await later(1_300);
    client.send(get("/"));
    await until(() => client.ended);
    assert.match(client.received, /connection: close/);
    heapShare = 0.99;
    await later(1_300);
    const refused = new RawClient(port, get("/"));
    await until(() => refused.closed || refused.ended);
    assert.equal(refused.received, "");
    assert.deepEqual(events, ["overload_disable_keepalive", "overload_reject"]);
    heapShare = 0.5;
    await later(1_300);
    const next = new RawClient(port, get("/"));
    await until(() => next.statuses === "200");
    assert.doesNotMatch(next.received, /connection: close/);
  });

  it("is compared with a new limit from the next check on", async () => {
    const usedBytes = 99;
    const { server, port, events } = await startServer(
      undefined,
      { memoryLimitBytes: 1_000 },
      (limitBytes) => ({
        heapShare: 0,
        processShare: usedBytes / limitBytes,
      }),
    );
    server.setLimits({ ...DEFAULT_LISTENER_LIMITS, memoryLimitBytes: 100 });
    await later(1_300);
    const refused = new RawClient(port, get("/"));
    await until(() => refused.closed || refused.ended);
    assert.deepEqual(events, ["overload_reject"]);
    server.setLimits({ ...DEFAULT_LISTENER_LIMITS, memoryLimitBytes: 1_000 });
    await later(1_300);
    const next = new RawClient(port, get("/"));
    await until(() => next.statuses === "200");
  });
});
