// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import type { QuotaCharge } from "../../../core/quota/quota-charge.ts";
import { textOfEvent } from "../../../core/quota/beyond/beyond-event.ts";
import { isPromise } from "../../../kernel/maybe-promise.ts";
import type { CheckResult } from "../check-result.ts";
import { charge, createStage, quota, type Stage, type ToyQuota } from "../toy-mixer.test.ts";
import type { RequestLife } from "./quota-queues.ts";

type Steps = NonNullable<QuotaCharge["beyond"]>;

const PER_USER = quota({ policy: "per-user", limit: 2, windowMs: 1_000, leaseMs: 0 });
const CREDIT = quota({ policy: "credit", limit: 3, windowMs: 60_000, leaseMs: 0 });
const OTHER = quota({ policy: "other", limit: 100, leaseMs: 0 });
const ECONOMY: Steps[number] = { kind: "degrade", headers: [{ name: "x-tier", value: "economy" }] };
const DRAW: Steps[number] = { kind: "draw", charge: charge(CREDIT) };
const queue = (atMostMs: number, length = 100): Steps[number] => ({ kind: "queue", atMostMs, length });

function stageOf(
  beyond: Steps,
  {
    limited = PER_USER,
    more = [],
    cached = true,
  }: { limited?: ToyQuota; more?: readonly QuotaCharge[]; cached?: boolean } = {},
): Stage {
  const stage = createStage();
  stage.mixer.quotas = [limited, CREDIT, OTHER];
  stage.mixer.decide = () => ({
    charges: [{ ...charge(limited), beyond }, ...more],
    ...(cached ? {} : { validDurationMs: 0 }),
  });
  return stage;
}

const textsOf = ({ beyond }: CheckResult): readonly string[] => beyond?.events.map(textOfEvent) ?? [];
const kindOf = ({ outcome }: CheckResult): string => outcome.kind;

/** Checks requests at once, and collects their results as they end. */
class Requests {
  readonly results: CheckResult[] = [];
  readonly #stage: Stage;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  async send(count: number, life?: RequestLife): Promise<void> {
    for (let index = 0; index < count; index++) {
      const result = this.#stage.client.check({}, undefined, life);
      if (isPromise(result)) void result.then((late) => this.results.push(late));
      else this.results.push(result);
    }
    await this.wait(0);
  }

  wait(ms: number): Promise<void> {
    return this.#stage.time.advanceAndSettle(ms);
  }

  get kinds(): readonly string[] {
    return this.results.map(kindOf);
  }
}

for (const cached of [true, false]) {
  describe(`beyond a limit, with ${cached ? "cached decisions" : "a check for each request"}`, () => {
    it("requests wait in a queue, and are charged in order", async () => {
      const requests = new Requests(stageOf([queue(1_500)], { cached }));
      await requests.send(5);
      assert.deepEqual(requests.kinds, ["allow", "allow"]);
      await requests.wait(1_000);
      assert.deepEqual(requests.kinds, ["allow", "allow", "allow", "allow"]);
      assert.deepEqual(textsOf(requests.results[3] as CheckResult), ["per-user: queued"]);
      // The fifth waits until its time is up, half-way through the next window.
      await requests.wait(500);
      assert.deepEqual(requests.kinds.slice(4), ["limit"]);
      assert.deepEqual(textsOf(requests.results[4] as CheckResult), ["per-user: timed out"]);
    });

    it("requests are refused at once when the queue is full or cannot help in time", async () => {
      const requests = new Requests(stageOf([queue(1_500, 1)], { cached }));
      await requests.send(4);
      assert.deepEqual(requests.kinds, ["allow", "allow", "limit"]);
      const hopeless = new Requests(stageOf([queue(200)], { cached }));
      await hopeless.send(3);
      assert.deepEqual(hopeless.kinds, ["allow", "allow", "limit"]);
      const { outcome } = hopeless.results[2] as CheckResult;
      assert.equal(outcome.kind === "limit" && outcome.retryAfterMs, 1_000);
    });

    it("requests draw on another quota until that is used up", async () => {
      const stage = stageOf([DRAW], { cached, more: [charge(OTHER)] });
      const requests = new Requests(stage);
      await requests.send(6);
      assert.deepEqual(requests.kinds, ["allow", "allow", "allow", "allow", "allow", "limit"]);
      const drawn = requests.results[2] as CheckResult;
      assert.deepEqual(textsOf(drawn), ["per-user: drawn from credit"]);
      assert.deepEqual(
        drawn.quotas.filter(({ policy }) => policy !== "other").map(({ policy, limit }) => [policy, limit]),
        [
          ["per-user", 2],
          ["credit", 3],
        ],
      );
      await stage.client.close(1_000);
      await requests.wait(0);
      // The refused request holds nothing of the other quota.
      assert.equal(stage.mixer.remaining(OTHER), 95);
      assert.equal(stage.mixer.remaining(CREDIT), 0);
    });

    it("requests are degraded, and charged their other quotas only", async () => {
      const stage = stageOf([ECONOMY], { cached, more: [charge(OTHER)] });
      const requests = new Requests(stage);
      await requests.send(4);
      assert.deepEqual(requests.kinds, ["allow", "allow", "allow", "allow"]);
      const degraded = requests.results[3] as CheckResult;
      assert.deepEqual(degraded.beyond, {
        events: [{ policy: "per-user", effect: "degraded" }],
        headers: [{ name: "x-tier", value: "economy" }],
      });
      assert.equal(degraded.quotas.find(({ policy }) => policy === "per-user")?.remaining, 0);
      await stage.client.close(1_000);
      await requests.wait(0);
      assert.equal(stage.mixer.remaining(OTHER), 96);
    });

    it("the first step that helps decides", async () => {
      const requests = new Requests(stageOf([queue(1_500, 1), DRAW, ECONOMY], { cached }));
      await requests.send(8);
      assert.deepEqual(requests.results.map((result) => textsOf(result)[0] ?? "charged").toSorted(), [
        "charged",
        "charged",
        "per-user: degraded",
        "per-user: degraded",
        "per-user: drawn from credit",
        "per-user: drawn from credit",
        "per-user: drawn from credit",
      ]);
      await requests.wait(1_000);
      assert.deepEqual(textsOf(requests.results[7] as CheckResult), ["per-user: queued"]);
    });

    it("a request that arrives later does not overtake those that wait", async () => {
      const stage = stageOf([queue(3_000)], { cached });
      const requests = new Requests(stage);
      await requests.send(5);
      await requests.wait(999);
      const newcomers = new Requests(stage);
      await newcomers.send(1);
      await requests.wait(1);
      await newcomers.send(1);
      assert.deepEqual([requests.results.length, newcomers.results.length], [4, 0]);
      await requests.wait(1_000);
      assert.deepEqual([requests.results.length, newcomers.results.length], [5, 1]);
    });

    it("a waiting request whose client leaves is charged nothing", async () => {
      const stage = stageOf([queue(1_500)], { cached, more: [charge(OTHER)] });
      const requests = new Requests(stage);
      const callbacks: (() => void)[] = [];
      const life = { finished: false, onceFinished: (callback: () => void) => void callbacks.push(callback) };
      await requests.send(2);
      await requests.send(1, life);
      assert.equal(stage.mixer.remaining(OTHER), 98);
      life.finished = true;
      for (const callback of callbacks) callback();
      await requests.wait(2_000);
      await stage.client.close(1_000);
      await requests.wait(0);
      assert.equal(stage.mixer.remaining(OTHER), 98);
      assert.equal(stage.client.stats()["quota_queue_left"], 1);
    });
  });
}

describe("beyond a limit", () => {
  it("a waiting request holds nothing, and is refused when another quota refuses it", async () => {
    const narrow = quota({ policy: "narrow", limit: 3, leaseMs: 0 });
    const stage = stageOf([queue(1_500)], { more: [charge(narrow)] });
    stage.mixer.quotas = [...stage.mixer.quotas, narrow];
    const requests = new Requests(stage);
    await requests.send(4);
    assert.equal(stage.mixer.remaining(narrow), 1);
    await requests.wait(1_000);
    assert.deepEqual(requests.kinds, ["allow", "allow", "allow", "limit"]);
    const { outcome } = requests.results[3] as CheckResult;
    assert.equal(outcome.kind === "limit" && outcome.decidedBy.name, "narrow");
    assert.equal(stage.mixer.remaining(PER_USER), 1);
  });

  it("new documents decide waiting requests anew, in their order", async () => {
    const stage = stageOf([queue(1_500)]);
    const requests = new Requests(stage);
    await requests.send(4);
    stage.mixer.decide = () => ({});
    stage.mixer.announce({ version: "v2" });
    await requests.wait(0);
    assert.deepEqual(requests.kinds, ["allow", "allow", "allow", "allow"]);
    assert.deepEqual(textsOf(requests.results[3] as CheckResult), []);
  });

  it("a proxy that closes refuses waiting requests", async () => {
    const stage = stageOf([queue(1_500)]);
    const requests = new Requests(stage);
    await requests.send(3);
    assert.equal(stage.client.stats()["quota_queue_waiting"], 1);
    void stage.client.close(1_000);
    await requests.wait(0);
    assert.deepEqual(requests.kinds, ["allow", "allow", "limit"]);
  });

  it("no step is taken while the store is away", async () => {
    for (const applied of ["deny", "allow"] as const) {
      const limited = { ...PER_USER, onStoreFailure: applied };
      const stage = stageOf([ECONOMY], { limited });
      const requests = new Requests(stage);
      await requests.send(2);
      stage.mixer.storeCondition = "down";
      await requests.send(1);
      assert.equal(requests.kinds[2], applied === "deny" ? "error" : "allow");
      assert.deepEqual(textsOf(requests.results[2] as CheckResult), []);
    }
  });

  it("a request that waits ends when the store or the mixer goes away", async () => {
    for (const condition of ["store", "mixer"] as const) {
      const stage = stageOf([queue(1_500)]);
      const requests = new Requests(stage);
      await requests.send(3);
      if (condition === "store") stage.mixer.storeCondition = "down";
      else stage.mixer.condition = "refuses";
      await requests.wait(1_000);
      assert.deepEqual(requests.kinds, ["allow", "allow", "error"]);
    }
  });

  it("a policy that applies to the request may be drawn on as well", async () => {
    const stage = stageOf([DRAW], { more: [charge(CREDIT)] });
    const requests = new Requests(stage);
    await requests.send(4);
    // Two of three are charged to the credit; the third request would need two more.
    assert.deepEqual(requests.kinds, ["allow", "allow", "limit", "limit"]);
    assert.equal(stage.mixer.remaining(CREDIT), 1);
  });

  it("a request waits for a slot until another request ends, however long a slot may last", async () => {
    for (const delayMs of [0, 5]) {
      const slots = { ...PER_USER, algorithm: "concurrency" as const, limit: 1, windowMs: 10_000 };
      const stage = stageOf([queue(2_000)], { limited: slots });
      stage.mixer.delayMs = delayMs;
      const requests = new Requests(stage);
      await requests.send(3);
      await requests.wait(100);
      assert.deepEqual(requests.kinds, ["allow"]);
      for (const ended of [0, 1]) {
        requests.results[ended]?.settlement?.settle(undefined, {});
        await requests.wait(60);
        assert.equal(requests.results.length, ended + 2, `${delayMs}`);
      }
      assert.deepEqual(requests.kinds, ["allow", "allow", "allow"]);
      requests.results[2]?.settlement?.settle(undefined, {});
      await requests.wait(60);
      void stage.client.close(1_000);
      await requests.wait(100);
    }
  });

  it("a quota that is drawn on is settled as the policy that draws says", async () => {
    const limited = {
      ...PER_USER,
      limit: 10,
      settlement: { charge: "response.size", whenAbsent: "reserve" as const },
    };
    const reserved = { ...charge(limited, 10) };
    const credit = { ...charge({ ...CREDIT, limit: 50 }, 10), settlement: limited.settlement };
    const stage = createStage();
    stage.mixer.quotas = [limited, { ...CREDIT, limit: 50 }];
    stage.mixer.decide = () => ({ charges: [{ ...reserved, beyond: [{ kind: "draw", charge: credit }] }] });
    const requests = new Requests(stage);
    await requests.send(2);
    requests.results[1]?.settlement?.settle(undefined, { response: { size: 4 } });
    await stage.client.close(1_000);
    await requests.wait(0);
    assert.equal(stage.mixer.remaining({ ...CREDIT, limit: 50 }), 46);
  });
});

describe("the ledger beyond a limit", () => {
  interface Sent {
    readonly arrivedMs: number;
    readonly user: number;
    readonly order: number;
    result?: CheckResult;
    endedMs?: number;
    ended?: number;
  }

  const arrivals = fc.array(
    fc.record({
      pauseMs: fc.oneof(fc.constant(0), fc.nat(400)),
      user: fc.nat(1),
      burst: fc.integer({ min: 1, max: 4 }),
    }),
    { minLength: 1, maxLength: 40 },
  );
  const shape = fc.record({
    limit: fc.integer({ min: 0, max: 4 }),
    windowMs: fc.constantFrom(200, 1_000),
    algorithm: fc.constantFrom("sliding-window" as const, "fixed-window" as const),
    leaseMs: fc.constantFrom(0, 50),
    delayMs: fc.constantFrom(0, 3),
    atMostMs: fc.integer({ min: 1, max: 1_500 }),
    length: fc.integer({ min: 1, max: 5 }),
    credit: fc.nat(6),
    steps: fc.constantFrom(
      "queue",
      "queue draw",
      "draw queue",
      "queue draw degrade",
      "queue degrade",
      "draw",
    ),
    cached: fc.boolean(),
  });

  it("adds up, within the limits, first in, first out, and within the bounds, for any arrivals", async () => {
    await fc.assert(
      fc.asyncProperty(arrivals, shape, async (requests, chosen) => {
        const { limit, windowMs, algorithm, leaseMs, delayMs, atMostMs, length, cached } = chosen;
        const stage = createStage();
        const limited = quota({ policy: "per-user", limit, windowMs, algorithm, leaseMs });
        const credit = quota({ policy: "credit", limit: chosen.credit, windowMs: 3_600_000, leaseMs });
        const other = quota({ policy: "other", limit: 1_000, windowMs: 3_600_000, leaseMs: 0 });
        stage.mixer.quotas = [limited, credit, other];
        stage.mixer.delayMs = delayMs;
        const beyond = chosen.steps.split(" ").map((step): Steps[number] => {
          if (step === "queue") return queue(atMostMs, length);
          return step === "draw" ? { kind: "draw", charge: charge(credit) } : ECONOMY;
        });
        stage.mixer.decide = (bag) => {
          const { user } = bag["request"] as { readonly user: number };
          const own = { ...charge(limited, 1, `per-user{"u":${user}}`), beyond };
          return { charges: [own, charge(other)], ...(cached ? {} : { validDurationMs: 0 }) };
        };
        const { clock } = stage.time;
        const sent: Sent[] = [];
        let ended = 0;
        let largest = 0;
        for (const { pauseMs, user, burst } of requests) {
          await stage.time.advanceAndSettle(pauseMs);
          for (let index = 0; index < burst; index++) {
            const one: Sent = { arrivedMs: clock.monotonicMs(), user, order: sent.length };
            sent.push(one);
            const end = (result: CheckResult): void => {
              Object.assign(one, { result, endedMs: clock.monotonicMs(), ended: ended++ });
            };
            const result = stage.client.check({ request: { user } });
            if (isPromise(result)) void result.then(end);
            else end(result);
            largest = Math.max(largest, stage.client.stats()["quota_queue_waiting"] as number);
          }
          await stage.time.advanceAndSettle(0);
          largest = Math.max(largest, stage.client.stats()["quota_queue_waiting"] as number);
        }
        await stage.time.advanceAndSettle(atMostMs + 2_000);
        assert.ok(largest <= length, `${largest} waited`);

        const effectOf = ({ result }: Sent): string =>
          result === undefined
            ? "open"
            : result.outcome.kind !== "allow"
              ? result.outcome.kind
              : (result.beyond?.events.find(({ effect }) => effect !== "timed out")?.effect ?? "charged");
        const by = (...effects: readonly string[]) => sent.filter((one) => effects.includes(effectOf(one)));
        assert.equal(by("open", "error").length, 0, "every request is decided");
        const charged = by("charged", "queued");
        const admitted = sent.filter(({ result }) => result?.outcome.kind === "allow");
        assert.equal(admitted.length, charged.length + by("drawn").length + by("degraded").length);
        // The proxy's statistics and the store agree with the requests.
        const stats = stage.client.stats();
        assert.equal(stats["quota_queued"], by("queued").length);
        assert.equal(stats["quota_drawn"], by("drawn").length);
        assert.equal(stats["quota_degraded"], by("degraded").length);
        assert.ok(by("drawn").length <= chosen.credit);
        for (const one of sent)
          assert.ok((one.endedMs as number) - one.arrivedMs <= atMostMs + 1_000, "a deadline passed");
        for (const user of [0, 1]) {
          const uses = charged.filter((one) => one.user === user);
          const times = uses.map(({ endedMs }) => endedMs as number).toSorted((a, b) => a - b);
          // With a mixer elsewhere the store counts up to a round trip before or after the request passes.
          const slackMs = delayMs === 0 ? 0 : 60;
          for (const [index, first] of times.entries()) {
            const last = times[index + limit] ?? Number.POSITIVE_INFINITY;
            if (algorithm === "sliding-window")
              assert.ok(last - first >= windowMs - slackMs, `${limit + 1} within ${last - first} ms`);
          }
          // A grant of a mixer elsewhere may come too late for a request, which then joins the queue late.
          const queued = delayMs === 0 ? uses : [];
          const orders = queued.toSorted((a, b) => (a.ended as number) - (b.ended as number));
          assert.deepEqual(
            orders.map(({ order }) => order),
            queued.map(({ order }) => order),
            "first in, first out",
          );
        }
        await stage.client.close(1_000);
        await stage.time.advanceAndSettle(100);
        assert.equal(stage.mixer.remaining(other), 1_000 - admitted.length, "the other quota");
        assert.equal(stage.mixer.remaining(credit), chosen.credit - by("drawn").length, "the credit");
      }),
      { numRuns: Number(process.env["BEYOND_RUNS"] ?? 150) },
    );
  }).timeout(300_000);
});
