// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { request } from "undici";
import { eventually } from "../support/eventually.ts";
import { type SplitMesh, startSplitMesh } from "../support/split-mesh.ts";

const DOCUMENTS = `apiVersion: purser.dev/v1
kind: Handler
metadata: { name: prom }
spec: { adapter: prometheus }
---
kind: Metric
metadata: { name: seen_total }
spec: { type: counter, value: 1, labels: { code: response.code }, handlers: [prom] }
`;
const REQUESTS = 1_100;

describe("reports while the mixer is away", function () {
  this.timeout(120_000);
  let mesh: SplitMesh;

  before(async () => {
    mesh = await startSplitMesh({ documents: DOCUMENTS, mixers: 1, edges: 1 });
  });
  after(() => mesh?.stop());

  const send = async (count: number): Promise<void> => {
    for (let index = 0; index < count; index++) {
      const { statusCode, body } = await request(`${mesh.edges[0]}/`, { headers: { host: "shop" } });
      await body.dump();
      assert.equal(statusCode, 200);
    }
  };
  const seen = async (): Promise<number> => {
    const text = await (await fetch(`${mesh.mixers[0]}/metrics`)).text();
    return Number(/^seen_total\{code="200"\} (\d+)$/m.exec(text)?.[1] ?? 0);
  };

  it("arrive exactly once when the mixer is back, after seconds and many batches", async () => {
    // The edge has received the (empty) set of policies once a request has passed.
    await eventually(() => send(1));
    await eventually(async () => assert.equal(await seen(), 1));
    await mesh.killMixer(0);
    await send(REQUESTS);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    await mesh.startMixer(0);
    await eventually(async () => assert.equal(await seen(), REQUESTS));
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    assert.equal(await seen(), REQUESTS);
    const counts = await mesh.clientCounts(0);
    const drops = Object.entries(counts).filter(([event]) => event.startsWith("report_drops_"));
    assert.equal(
      drops.reduce((sum, [, bags]) => sum + bags, 0),
      0,
    );
    assert.equal(counts["report_calls"], REQUESTS + 1);
    assert.equal(counts["reported_bags"], counts["report_calls"]);
  });
});
