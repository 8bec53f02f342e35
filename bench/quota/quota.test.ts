// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { rateLimitProgram, startRateLimit } from "../../test/support/ratelimit-server.ts";
import { type RedisServer, startRedis } from "../../test/support/redis-server.ts";
import { CONTENDERS, SERVICE } from "./contenders.ts";
import { COUNTS, createDecider, RATELIMIT_CONFIG } from "./deciders.ts";
import { judge, reportOf } from "./report.ts";
import { tableOf } from "./table.ts";

describe("the contenders of bench:quota", () => {
  let server: RedisServer;
  before(async function () {
    server = await startRedis(this);
  });
  after(async () => {
    await server?.stop();
  });

  const assertCounts = async (name: string, port: number): Promise<void> => {
    const decider = createDecider(name, port);
    const first = await decider.decide(0);
    assert.equal(await decider.decide(0), first - 1);
    assert.equal(await decider.decide(COUNTS - 1), first);
    await decider.close();
  };

  for (const { name } of CONTENDERS.filter(({ asks }) => asks === "redis"))
    it(`count each decision: ${name}`, () => assertCounts(name, server.port));

  it(`count each decision: ${SERVICE}`, async function () {
    const program = await rateLimitProgram(this);
    const options = { configs: [RATELIMIT_CONFIG], redis: server, countsAllOrNone: false };
    const service = await startRateLimit(program, options);
    try {
      await assertCounts(SERVICE, Number(new URL(service.url).port));
    } finally {
      await service.stop();
    }
    const decider = createDecider(SERVICE, Number(new URL(service.url).port));
    await assert.rejects(async () => await decider.decide(0), { code: "ECONNREFUSED" });
  });

  it("are known by name", () => assert.throws(() => createDecider("none", 1), /no contender/));
});

describe("the report of bench:quota", () => {
  const met = (figures: Parameters<typeof judge>[0]) => judge(figures).map((bar) => bar.met);

  it("judges each bar", () => {
    assert.deepEqual(met({ memory: 3_000_000, redis: 300_000, ratio: 2.5 }), [true, true, true]);
    assert.deepEqual(met({ memory: 2_999_999, redis: 299_999, ratio: 2.49 }), [false, false, false]);
    assert.deepEqual(met({ memory: Number.NaN, redis: 1, ratio: 3 }), [undefined, false, true]);
  });

  it("has medians and ratios of the rounds", () => {
    const runs = (speeds: readonly number[]) => speeds.map((decisionsPerS) => ({ decisionsPerS, cpuUs: 2 }));
    const options = { help: false, json: true, rounds: 3, seconds: 1, warmUp: 1, node: process.execPath };
    const report = reportOf(
      {
        missing: { [SERVICE]: "not built" },
        runs: new Map([
          ["memory", new Map([[1, runs([4e6])]])],
          ["redis", new Map([[512, runs([300, 100, 400])]])],
          ["rate-limiter-flexible", new Map([[512, runs([100, 100, 100])]])],
        ]),
      },
      { ...options, cores: { load: 0, proxy: 1, all: [0, 1] } },
    );
    assert.deepEqual(report.contenders["redis"]?.["512"], {
      decisions_per_s: 300,
      cpu_us: 2,
      rounds: [300, 100, 400],
    });
    assert.deepEqual(report.ratio_to_peer, { "512": 3 });
    assert.match(
      tableOf(report),
      /redis +512 +300 +2\n[^]*missing envoyproxy\/ratelimit: not built\nmissing Limitador/,
    );
  });
});
