// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import { connect } from "node:net";
import type { OverloadSettings } from "../../core/traffic/resources/overload.ts";
import {
  call,
  cleanUp,
  clusterOf,
  configOf,
  endpointAt,
  groupOf,
  httpUpstream,
  later,
  type Reply,
  startProxy,
  startWith,
  until,
} from "../testing/harness.test.ts";
import { describeTransports } from "../testing/transports.test.ts";

/** Two requests at a time, and two that wait. */
const TIGHT: OverloadSettings = {
  document: "protect",
  mode: "enforce",
  priority: '$number(request.headers."x-priority")',
  limit: {
    minConcurrency: 2,
    maxConcurrency: 2,
    updateIntervalMs: 100,
    latencyPercentile: 50,
    baselineIntervalMs: 60_000,
    baselineJitterPercent: 15,
    baselineRequests: 50,
    baselineBufferPercent: 25,
  },
  queueLength: 2,
  queueTimeoutMs: 2_000,
};

/** An upstream that answers when the test says so. */
function held() {
  const answers: { readonly priority: string; readonly answer: () => void }[] = [];
  const handler: RequestListener = (incoming, outgoing) =>
    void answers.push({
      priority: String(incoming.headers["x-priority"]),
      answer: () => outgoing.end("answered"),
    });
  return { answers, handler };
}

const withPriority = (port: number, priority: string | string[]): Promise<Reply> =>
  call(port, { headers: { "x-priority": priority } });

describeTransports("a service with an Overload document", () => {
  afterEach(cleanUp);

  it("gets the most important requests first; the least important are 503 OM, distinct from other refusals", async () => {
    const { answers, handler } = held();
    const { port, policy, proxy } = await startWith(handler, { cluster: { overload: TIGHT } });
    const replies = [withPriority(port, "3"), withPriority(port, "3")];
    await until(() => answers.length === 2);
    const usual = withPriority(port, "3");
    const last = withPriority(port, "7");
    await later(30);
    const first = withPriority(port, "0");
    const shed = await last;
    assert.equal(shed.status, 503);
    assert.equal(shed.headers["x-envoy-overloaded"], "true");
    assert.equal((JSON.parse(shed.body) as { code?: string }).code, "PURSER_PROXY_OVERLOADED");
    assert.equal(groupOf(policy.reports, "response")["flags"], "OM");
    assert.equal(policy.checks.length, 2, "a request that waits or is shed costs no decision");
    answers[0]?.answer();
    await until(() => answers.length === 3);
    answers[1]?.answer();
    await until(() => answers.length === 4);
    assert.deepEqual(
      answers.map(({ priority }) => priority),
      ["3", "3", "0", "3"],
    );
    for (const { answer } of answers) answer();
    for (const reply of [...replies, first, usual]) assert.equal((await reply).status, 200);
    const metrics = await proxy.registry.metrics();
    assert.match(metrics, /purser_proxy_overload_requests_total\{[^}]*priority="7",outcome="shed"\} 1/);
    assert.match(metrics, /purser_proxy_overload_requests_total\{[^}]*priority="0",outcome="waited"\} 1/);
    assert.match(metrics, /purser_proxy_requests_total\{[^}]*OM[^}]*\} 1/);
  });

  it("takes a repeated header by its least important value, and counts priorities that cannot be read", async () => {
    const { port, proxy } = await startWith((_incoming, outgoing) => outgoing.end(), {
      cluster: { overload: { ...TIGHT, priority: 'request.headers."x-priority" = "vip" ? 0 : 6' } },
    });
    for (const priority of [["vip", "other"], ["other", "vip"], "vip"])
      assert.equal((await withPriority(port, priority)).status, 200);
    const metrics = await proxy.registry.metrics();
    assert.match(metrics, /priority="6",outcome="admitted"\} 2/);
    assert.match(metrics, /priority="0",outcome="admitted"\} 1/);
    const wrong = await startWith((_incoming, outgoing) => outgoing.end(), { cluster: { overload: TIGHT } });
    await withPriority(wrong.port, "very");
    const after = await wrong.proxy.registry.metrics();
    assert.match(after, /priority="3",outcome="admitted"\} 1/);
    assert.match(after, /overload_priority_faults_total\{[^}]*\} 1/);
  });

  it("frees the place of a client that leaves, under way or in the queue", async () => {
    const { answers, handler } = held();
    const { port } = await startWith(handler, { cluster: { overload: TIGHT } });
    const sockets = Array.from({ length: 4 }, () => {
      const socket = connect(port, "127.0.0.1");
      socket.on("error", () => {});
      socket.write("GET / HTTP/1.1\r\nhost: a\r\nx-priority: 1\r\n\r\n");
      return socket;
    });
    await until(() => answers.length === 2);
    for (const socket of sockets) socket.destroy();
    await later(50);
    // Over HTTP/2, a request from the queue may have been sent before its client was known to have left.
    const left = answers.length;
    const replies = [withPriority(port, "3"), withPriority(port, "3")];
    await until(() => answers.length >= left + 2);
    for (const { answer } of answers) answer();
    for (const reply of replies) assert.equal((await reply).status, 200);
  });

  it("lets all that wait go on when the document is removed, and keeps the count when it changes", async () => {
    const { answers, handler } = held();
    const { port } = await httpUpstream(handler);
    const config = (overload: OverloadSettings | undefined) =>
      configOf({ clusters: [clusterOf([endpointAt(port)], overload === undefined ? {} : { overload })] });
    const rig = await startProxy(config(TIGHT));
    const replies = Array.from({ length: 4 }, () => withPriority(rig.port, "3"));
    await until(() => answers.length === 2);
    rig.apply(config({ ...TIGHT, limit: { ...TIGHT.limit, minConcurrency: 3, maxConcurrency: 3 } }));
    await until(() => answers.length === 3);
    rig.apply(config(undefined));
    await until(() => answers.length === 4);
    for (const { answer } of answers) answer();
    for (const reply of replies) assert.equal((await reply).status, 200);
  });

  it("with the destination's own sidecar behind it sheds nothing: the sidecar does", async () => {
    const { answers, handler } = held();
    const { port } = await startWith(handler, { cluster: { overload: TIGHT, checkedByDestination: true } });
    const replies = Array.from({ length: 6 }, () => withPriority(port, "3"));
    await until(() => answers.length === 6);
    for (const { answer } of answers) answer();
    for (const reply of replies) assert.equal((await reply).status, 200);
  });
});
