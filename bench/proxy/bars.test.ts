// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import {
  type Bar,
  type Bars,
  GRPC_BARS,
  HTTP1_BARS,
  judge as judgeBy,
  type Judged,
  TLS_BARS,
} from "./bars.ts";
import type { PacedLoad } from "./load/paced.ts";

const PACED: PacedLoad = {
  rate: 1_000,
  answered: 5_000,
  errors: 0,
  unanswered: 0,
  p50Ms: 1,
  p99Ms: 2,
  maxMs: 3,
  worstWindowP99Ms: 20,
  generatorLateMs: 0.2,
};

/** A contender that meets every bar of its own, with the throughput and the CPU time per request, in milliseconds. */
function contender(
  name: string,
  requestsPerSecond: number,
  cpuMs: number,
  changes: Partial<Judged> = {},
): Judged {
  const run = {
    requestsPerSecond,
    requests: 1,
    p50Ms: 1,
    p99Ms: 2,
    maxMs: 3,
    errors: 0,
    cpuMs,
    foreignShare: 0,
  };
  return {
    name,
    runs: new Map([["get-1k", [run]]]),
    throughput: () => [requestsPerSecond],
    cpuPerRequest: () => [cpuMs],
    addedP99Ms: () => 0.5,
    half: [{ through: PACED, direct: PACED }],
    cold: PACED,
    startupMs: [300],
    idleMb: [80],
    logLines: 100,
    answered: 100,
    ...changes,
  };
}

const judge = (
  entries: readonly Judged[],
  missing: Readonly<Record<string, string>>,
  bars: Bars = HTTP1_BARS,
): readonly Bar[] => judgeBy(entries, missing, { judged: "get-1k", bars });

const verdicts = (bars: readonly Bar[]): Readonly<Record<string, boolean | undefined>> =>
  Object.fromEntries(bars.map(({ name, met }) => [name, met]));

describe("the bars of bench:proxy", () => {
  it("judges purser-full by its ratios to the others", () => {
    const bars = judge(
      [contender("nginx", 100, 1), contender("forwarder", 79, 1.25), contender("purser-full", 60, 2)],
      {},
    );
    assert.deepEqual(bars[0], { name: "to nginx", demand: ">= 0.6", reached: 0.6, met: true, by_cpu: 0.5 });
    assert.equal(verdicts(bars)["to forwarder"], true);
  });

  it("misses a bar by a little", () => {
    const bars = judge([contender("nginx", 1_000, 1), contender("purser-full", 599, 2)], {});
    assert.equal(verdicts(bars)["to nginx"], false);
  });

  it("says why a bar could not be measured, and does not call it met", () => {
    const bars = judge([contender("purser-full", 60, 2)], { envoy: "no python3" });
    assert.deepEqual(
      bars.find(({ name }) => name === "to envoy"),
      {
        name: "to envoy",
        demand: ">= 1.5",
        reason: "no python3",
      },
    );
    assert.match(bars.find(({ name }) => name === "to nginx")?.reason ?? "", /was not run/);
  });

  it("misses the bars of purser-full's own figures", () => {
    const slow = contender("purser-full", 60, 2, {
      addedP99Ms: () => 1.2,
      cold: { ...PACED, worstWindowP99Ms: 51, errors: 1 },
      startupMs: [401],
      idleMb: [91],
      logLines: 98,
    });
    const met = verdicts(judge([slow], {}));
    for (const name of [
      "added p99 at half load",
      "worst stall in the first 5 s",
      "start-up to the first answer",
      "resident memory when idle",
      "errors",
      "log lines per request",
    ])
      assert.equal(met[name], false, name);
    assert.equal(met["p99 to p50 at full load"], true);
  });

  it("judges nothing without purser-full", () => {
    assert.deepEqual(judge([contender("nginx", 100, 1)], {}), []);
  });

  it("demands half of nginx's throughput with TLS", () => {
    const bars = judge([contender("nginx", 1_000, 1), contender("purser-full", 499, 2)], {}, TLS_BARS);
    assert.deepEqual(verdicts(bars), { "to nginx": false, errors: true, "log lines per request": true });
  });

  it("demands no ratio with gRPC, only that no call fails", () => {
    const [run] = contender("purser-full", 1, 2).runs.get("get-1k") ?? [];
    assert.ok(run);
    const failing = contender("purser-full", 1, 2, { runs: new Map([["get-1k", [{ ...run, errors: 1 }]]]) });
    const bars = judge([contender("nginx", 1_000, 1), failing], {}, GRPC_BARS);
    assert.equal(verdicts(bars)["to nginx"], undefined);
    assert.equal(verdicts(bars)["errors"], false);
  });
});
