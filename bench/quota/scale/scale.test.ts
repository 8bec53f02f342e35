// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createSeededRandom } from "../../../plugins/sdk/testing/index.ts";
import { ROOT } from "../../machine/repository.ts";
import { markedPart } from "../marked-part.ts";
import { DEFAULT_SPEEDS } from "../simulation-flags.ts";
import { EventQueue } from "./event-queue.ts";
import { figuresOf, type ScaleFigures } from "./figures.ts";
import { scalePlot } from "./measure.ts";
import { plotOf } from "./plot.ts";
import { provisionOf } from "./provision.ts";
import { ProxyCount } from "./proxy-count.ts";
import { SCENARIOS, type Scenario } from "./scenario.ts";
import { simulate } from "./simulate.ts";
import { scaleMarkdown, scaleText } from "./table.ts";
import { createZipf } from "./zipf.ts";

const SMALL: Scenario = {
  name: "small",
  summary: "ten keys in a small mesh",
  proxies: 20,
  requestsPerS: 20_000,
  keys: 10,
  zipfExponent: 1,
  limit: 20_000,
  windowMs: 4_000,
  leaseMs: 1_000,
  algorithm: "fixed-window",
  shards: 4,
  roundTripMs: 2,
};

describe("the model of a large mesh", () => {
  for (const algorithm of ["fixed-window", "sliding-window", "token-bucket"] as const) {
    it(`admits almost all that the limits allow, and no more, with ${algorithm}`, () => {
      const counts = simulate({ ...SMALL, algorithm });
      assert.ok(Math.abs(counts.requests - 80_000) < 1_500, `${counts.requests}`);
      // A token bucket has a whole limit at the start of the window, and refills another in it.
      if (algorithm !== "token-bucket") {
        assert.equal(counts.over, 0);
        assert.ok(counts.admitted <= counts.allowed);
      }
      assert.ok(counts.admitted >= 0.97 * counts.allowed, `${counts.admitted} of ${counts.allowed}`);
    });
  }

  it("asks less often than it admits when proxies have demand for leases", () => {
    const leased = simulate(SMALL);
    const single = simulate({ ...SMALL, leaseMs: 0 });
    assert.ok(leased.asks < leased.admitted / 10, `${leased.asks} asks for ${leased.admitted}`);
    assert.ok(single.asks > 2 * leased.asks, `${single.asks} asks without leases`);
    assert.ok(leased.giveBacks > 0);
    assert.equal(single.giveBacks, 0);
  });

  it("sends each call to the shard of its key", () => {
    const { shardCalls, keyCalls, asks, giveBacks } = simulate(SMALL);
    const expected = [0, 0, 0, 0];
    for (const [key, calls] of keyCalls.entries()) (expected[key % 4] as number) += calls;
    assert.deepEqual(shardCalls, expected);
    assert.equal(
      shardCalls.reduce((sum, calls) => sum + calls, 0),
      asks + giveBacks,
    );
  });

  it("is the same at every run", () => {
    assert.deepEqual(
      figuresOf(SMALL, simulate(SMALL), DEFAULT_SPEEDS),
      figuresOf(SMALL, simulate(SMALL), DEFAULT_SPEEDS),
    );
  });
});

describe("a count of a proxy", () => {
  const settings = { limit: 1_000, proxies: 2, leaseMs: 1_000, useMs: 6 };
  const REFUSED = { granted: 0, remaining: 0, retryAfterMs: 0, validForMs: 0, slot: 0 };

  it("asks for its waiters and a lease, and admits from it", () => {
    const count = new ProxyCount();
    for (let request = 0; request < 5; request++) assert.equal(count.request(0), "waits");
    const ask = count.ask(0, settings);
    assert.deepEqual(ask, { amount: 10, leaseMs: 1_000, waiters: 5 });
    assert.equal(count.ask(0, settings), undefined);
    const grant = { granted: 10, remaining: 990, retryAfterMs: 0, validForMs: 1_000, slot: 7 };
    assert.equal(count.answer(ask as never, grant, 0), 5);
    assert.equal(count.request(3), "admitted");
    // A lease goes back 100 ms before its end, which is a step of the clock before 1,000 ms.
    assert.equal(count.giveBackAtMs, 899);
    assert.deepEqual(count.takeExpiring(898), []);
    assert.deepEqual(
      count.takeExpiring(899).map(({ amount, slot }) => [amount, slot]),
      [[4, 7]],
    );
    assert.equal(count.giveBackAtMs, undefined);
  });

  it("repeats a refusal for a second at most, counted from the ask", () => {
    const count = new ProxyCount();
    count.request(10);
    const ask = count.ask(10, settings);
    assert.equal(count.answer(ask as never, { ...REFUSED, retryAfterMs: 9_000 }, 10), 0);
    assert.equal(count.request(1_009), "refused");
    assert.equal(count.request(1_010), "waits");
  });

  it("is idle when it holds nothing and had no request for two seconds", () => {
    const count = new ProxyCount();
    count.request(0);
    assert.deepEqual([count.isIdle(2_000), count.isIdle(2_001)], [false, true]);
    const ask = count.ask(0, settings);
    assert.equal(count.isIdle(2_001), false);
    count.answer(ask as never, { ...REFUSED, granted: 2, validForMs: 900 }, 0);
    assert.equal(count.isIdle(2_001), false);
    count.takeExpiring(2_001);
    assert.equal(count.isIdle(2_001), true);
  });
});

describe("Zipf's distribution", () => {
  it("draws each rank by its share", () => {
    const zipf = createZipf(100, 1, createSeededRandom(3));
    const drawn = new Map<number, number>();
    for (let draw = 0; draw < 100_000; draw++) {
      const rank = zipf.draw();
      drawn.set(rank, (drawn.get(rank) ?? 0) + 1);
    }
    // The sum of 1/r up to 100 is 5.187.
    for (const rank of [0, 1, 9]) {
      const expected = 100_000 / ((rank + 1) * 5.187);
      assert.ok(Math.abs((drawn.get(rank) ?? 0) - expected) < 5 * Math.sqrt(expected), `rank ${rank}`);
    }
    assert.ok(Math.max(...drawn.keys()) <= 99);
  });
});

describe("the event queue", () => {
  it("hands out events in order of time, also those added meanwhile", () => {
    const queue = new EventQueue<string>(10);
    queue.add(2, "late");
    queue.add(0, "first");
    queue.add(0.5, "second");
    const taken: string[] = [];
    for (let ms = 0; ms < 3; ms++) {
      queue.take((event, atMs) => {
        taken.push(`${event} ${atMs}`);
        if (event === "first") queue.add(0, "at once");
      });
    }
    assert.deepEqual(taken, ["first 0", "at once 0", "second 1", "late 2"]);
    assert.throws(() => queue.add(14, "never"), RangeError);
  });
});

describe("the provision of a mesh", () => {
  it("loads every core to half of its speed", () => {
    const speeds = { shardDecisionsPerS: 1_000, mixerCallsPerS: 100 };
    assert.deepEqual(provisionOf({ callsPerS: 1_001, hotKeyCallsPerS: 500 }, speeds), {
      mixers: 21,
      shards: 3,
      hot_key_fits: true,
    });
    assert.equal(provisionOf({ callsPerS: 1_001, hotKeyCallsPerS: 501 }, speeds).hot_key_fits, false);
    assert.deepEqual(provisionOf({ callsPerS: 0, hotKeyCallsPerS: 0 }, speeds), {
      mixers: 1,
      shards: 1,
      hot_key_fits: true,
    });
  });
});

describe("the report of scale", () => {
  const figures = figuresOf(SMALL, simulate(SMALL), DEFAULT_SPEEDS);

  it("has a line for each figure, and marks a key that no shard can carry", () => {
    const text = scaleText([figures], DEFAULT_SPEEDS);
    assert.match(text, /calls\/s of the key with most +[\d,]+\n/);
    assert.doesNotMatch(text, /!/);
    const hot: ScaleFigures = { ...figures, provision: { ...figures.provision, hot_key_fits: false } };
    assert.match(scaleText([hot], DEFAULT_SPEEDS), /shards of Redis +1!/);
  });

  it("has the busiest key first among its points", () => {
    assert.deepEqual(
      figures.keys.map(({ rank }) => rank),
      [1, 2.4, 5.3, 8.9],
    );
    assert.ok((figures.keys[0]?.requests_per_s ?? 0) > (figures.keys[1]?.requests_per_s ?? 0));
    assert.ok(figures.hot_key.calls_per_s >= (figures.keys[0]?.calls_per_s ?? 0));
  });

  it("is reproduced by the simulation, in the column of the documentation that is quickest", () => {
    const documented = markedPart(readFileSync(join(ROOT, "docs/guides/quotas.md"), "utf8"), "scale table");
    const [mesh] = SCENARIOS as readonly [Scenario];
    const lines = scaleMarkdown([figuresOf(mesh, simulate(mesh), DEFAULT_SPEEDS)], DEFAULT_SPEEDS).split(
      "\n",
    );
    const rows = lines.filter((line) => /^\| \w/.test(line));
    assert.ok(rows.length > 10);
    // The first two cells of a row: its name and the figure of the mesh.
    for (const row of rows) assert.ok(documented.includes(row.replace(/ \|$/, " | ")), row);
  }).timeout(20_000);
});

describe("a plot", () => {
  it("places points on logarithmic axes, and leaves out those that have no place there", () => {
    const svg = plotOf({ title: "a < b & c", x: "x", y: "y" }, [
      {
        name: "line",
        color: "red",
        dashed: true,
        points: [
          [1, 1],
          [10, 10],
          [100, 100],
          [0, 5],
        ],
      },
      { name: "dot", color: "blue", points: [[10, 10]] },
    ]);
    assert.match(
      svg,
      /<polyline points="80,364 388,204 696,44" fill="none" stroke="red"[^>]* stroke-dasharray/,
    );
    assert.match(svg, /<circle cx="388" cy="204" r="5"[^>]*blue/);
    assert.match(svg, />a &lt; b &amp; c</);
    assert.equal(svg.split("<line ").length - 1, 6);
  });

  it("of the scale has two lines for each scenario", () => {
    const svg = scalePlot({ scenarios: [figures("one"), figures("two")], speeds: DEFAULT_SPEEDS });
    assert.equal([...svg.matchAll(/<polyline points="[^"]*,[^"]* [^"]*,[^"]* [^"]*"/g)].length, 4);

    function figures(name: string): ScaleFigures {
      return { ...figuresOf(SMALL, simulate(SMALL), DEFAULT_SPEEDS), name };
    }
  });
});
