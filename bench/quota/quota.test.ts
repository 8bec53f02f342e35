// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { type RedisServer, startRedis } from "../../test/support/redis-server.ts";
import { CONTENDERS } from "./contenders.ts";
import { COUNTS, createDecider } from "./deciders.ts";
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

  for (const { name } of CONTENDERS) {
    it(`count each decision: ${name}`, async () => {
      const decider = createDecider(name, server.port);
      const first = await decider.decide(0);
      assert.equal(await decider.decide(0), first - 1);
      assert.equal(await decider.decide(COUNTS - 1), first);
      await decider.close();
    });
  }

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
    assert.match(tableOf(report), /redis +512 +300 +2\n[^]*missing Limitador/);
  });
});
