// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { Cluster } from "../../core/traffic/resources/cluster.ts";
import { DEFAULT_RETRY_POLICY } from "../../core/traffic/retry.ts";
import { call, cleanUp, groupOf, later, type Rig, startWith, until } from "../testing/harness.test.ts";
import { describeTransports } from "../testing/transports.test.ts";

/** A proxy that retries once after a 503 of an upstream that answers nothing else; `tries` counts them. */
async function start(
  limits: Partial<Cluster>,
  answer: (respond: () => void, isRetry: boolean) => void = (respond) => respond(),
): Promise<{ readonly rig: Rig; readonly tries: () => number }> {
  let tries = 0;
  const seen = new Set<string>();
  const rig = await startWith(
    ({ url = "" }, outgoing) => {
      tries++;
      const isRetry = seen.has(url);
      seen.add(url);
      answer(() => outgoing.writeHead(503, { "x-from": "upstream" }).end(), isRetry);
    },
    {
      cluster: limits,
      action: { retry: { ...DEFAULT_RETRY_POLICY, retries: 1, backoffBaseMs: 1, backoffMaxMs: 2 } },
    },
  );
  return { rig, tries: () => tries };
}

const flagsOf = ({ policy }: Rig) => groupOf(policy.reports, "response")["flags"];

async function overflowsOf({ proxy }: Rig): Promise<number> {
  const metrics = await proxy.registry.metrics();
  return Number(/retry_overflows_total{[^}]*} (\d+)/.exec(metrics)?.[1]);
}

describeTransports("the limit of retries under way", () => {
  afterEach(cleanUp);

  it("of 0 allows none: the client gets the first response, with the flag UO", async () => {
    const { rig, tries } = await start({ maxRetries: 0 });
    const reply = await call(rig.port);
    assert.equal(reply.status, 503);
    assert.equal(reply.headers["x-from"], "upstream");
    assert.equal(tries(), 1);
    await until(() => rig.policy.reports.length === 1);
    assert.equal(flagsOf(rig), "UO");
    assert.equal(await overflowsOf(rig), 1);
  });

  it("is another thing than the route's number of retries, whose flag is URX", async () => {
    const { rig, tries } = await start({});
    assert.equal((await call(rig.port)).status, 503);
    assert.equal(tries(), 2);
    await until(() => rig.policy.reports.length === 1);
    assert.equal(flagsOf(rig), "URX");
    assert.equal(await overflowsOf(rig), 0);
  });

  it("counts the retries of all requests, and each until its response, its timeout or its client's end", async () => {
    const held: (() => void)[] = [];
    const { rig, tries } = await start({ maxRetries: 1 }, (respond, isRetry) => {
      if (isRetry) held.push(respond);
      else respond();
    });
    const first = call(rig.port, { path: "/1" });
    await until(() => held.length === 1);
    assert.equal((await call(rig.port, { path: "/2" })).status, 503);
    assert.equal(tries(), 3);
    assert.equal(await overflowsOf(rig), 1);
    held[0]?.();
    await first;
    const { request } = await import("node:http");
    const outgoing = request({ host: "127.0.0.1", port: rig.port, path: "/3", agent: false });
    outgoing.on("error", () => {});
    outgoing.end();
    await until(() => held.length === 2);
    outgoing.destroy();
    await later(30);
    const last = call(rig.port, { path: "/4" });
    await until(() => held.length === 3);
    held[2]?.();
    await last;
    assert.equal(await overflowsOf(rig), 1);
  });

  it("of a budget is a part of the requests, and maxRetries has no effect then", async () => {
    const held: (() => void)[] = [];
    const retryBudget = { percent: 50, minRetryConcurrency: 0 };
    const { rig } = await start({ maxRetries: 0, retryBudget }, (respond, isRetry) => {
      if (isRetry) held.push(respond);
      else respond();
    });
    // One request alone: half of it is no retry.
    assert.equal((await call(rig.port, { path: "/1" })).status, 503);
    assert.equal(await overflowsOf(rig), 1);
    const min = await start({ maxRetries: 0, retryBudget: { percent: 0, minRetryConcurrency: 1 } });
    assert.equal((await call(min.rig.port)).status, 503);
    assert.equal(min.tries(), 2);
  });
});
