// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import {
  arbitrarySteps,
  findExcess,
  LIMIT_AND_WINDOW,
  type Step,
  type Use,
} from "../../../test/support/quota-log.ts";
import { MAX_DURATION_MS } from "../../../kernel/duration.ts";
import { counterOf, WINDOW_KINDS } from "../../../test/support/quota-countings.ts";
import type { QuotaDemand } from "./counter.ts";
import type { CounterKind } from "./counter-kind.ts";
import { QUOTA_COUNTERS } from "./counters.ts";
import type { QuotaGrant } from "../quota.ts";

const START_MS = 1_767_225_600_123;

interface Walk {
  readonly kind: CounterKind;
  readonly limit: number;
  readonly windowMs: number;
  /** Added to the clock before each step; negative when the clock is set back. */
  readonly jumpsMs?: readonly number[];
}

interface Visit {
  readonly nowMs: number;
  readonly state: unknown;
  readonly demand: QuotaDemand;
  readonly grant: QuotaGrant;
}

/** Runs the steps on a fresh state, calling `visit` after each demand; returns all uses in real time. */
function walk(
  { kind, limit, windowMs, jumpsMs = [] }: Walk,
  steps: readonly Step[],
  visit: (visited: Visit) => void = () => undefined,
): readonly Use[] {
  const counter = counterOf(kind);
  let realMs = START_MS;
  let clockAheadMs = 0;
  let retryAfterMs = 0;
  const state = counter.create(realMs);
  const uses: Use[] = [];
  const unused: { atStep: number; amount: number; slot: number }[] = [];
  for (const [index, step] of steps.entries()) {
    realMs += step.waitMs + (step.waitsForRetry ? retryAfterMs : 0);
    clockAheadMs += jumpsMs[index] ?? 0;
    const nowMs = realMs + clockAheadMs;
    // A grant from before a step back may share its slot with a later one: the last test of this file states the bound.
    if ((jumpsMs[index] ?? 0) < 0) unused.length = 0;
    for (const rest of unused.filter(({ atStep }) => atStep === index)) {
      const back = { limit, windowMs, amount: -rest.amount, bestEffort: false, leaseMs: 0, slot: rest.slot };
      const grant = counter.charge(state, back, nowMs);
      assert.ok(grant.granted <= 0 && grant.granted >= -rest.amount, "gives back too much");
    }
    const demand = {
      limit,
      windowMs,
      amount: step.amount,
      bestEffort: step.bestEffort,
      leaseMs: step.leaseMs,
    };
    const grant = counter.charge(state, demand, nowMs);
    retryAfterMs = grant.retryAfterMs;
    visit({ nowMs, state, demand, grant });
    const used = grant.validForMs > 0 ? Math.round(grant.granted * step.usedPart) : grant.granted;
    const atMs = realMs + Math.floor(grant.validForMs * step.usedAfterPart);
    if (used > 0) uses.push({ atMs, amount: used });
    if (used < grant.granted) {
      unused.push({ atStep: index + step.givesBackAfter, amount: grant.granted - used, slot: grant.slot });
    }
  }
  return uses;
}

const walks = (kind: CounterKind) =>
  LIMIT_AND_WINDOW.chain(({ limit, windowMs }) =>
    fc.record({ walk: fc.constant({ kind, limit, windowMs }), steps: arbitrarySteps(limit, windowMs) }),
  );

for (const kind of WINDOW_KINDS) {
  const counter = counterOf(kind);

  describe(`${kind} arithmetic`, () => {
    it("never admits more than the limit, whenever leases are used and whatever is given back", () => {
      fc.assert(
        fc.property(walks(kind), ({ walk: way, steps }) => {
          assert.equal(findExcess(kind, walk(way, steps), way.limit, way.windowMs), undefined);
        }),
        { numRuns: 1_000 },
      );
    });

    it("grants all or nothing, or best effort, and holds no lease longer than asked", () => {
      fc.assert(
        fc.property(walks(kind), ({ walk: way, steps }) => {
          walk(way, steps, ({ demand, grant }) => {
            if (!demand.bestEffort) assert.ok(grant.granted === 0 || grant.granted === demand.amount);
            assert.ok(grant.granted >= 0 && grant.granted <= demand.amount);
            assert.ok(grant.validForMs >= 0 && grant.validForMs <= demand.leaseMs);
            assert.ok(grant.remaining >= 0 && grant.remaining <= demand.limit - grant.granted);
          });
        }),
        { numRuns: 200 },
      );
    });

    it("reports exactly what remains", () => {
      fc.assert(
        fc.property(walks(kind), ({ walk: way, steps }) => {
          walk(way, steps, ({ nowMs, state, demand, grant }) => {
            const all = { ...demand, amount: way.limit + 5, bestEffort: true, leaseMs: 0 };
            assert.equal(counter.charge(counter.copy(state), all, nowMs).granted, grant.remaining);
          });
        }),
        { numRuns: 200 },
      );
    });

    it("reports exactly when the same demand will succeed", () => {
      fc.assert(
        fc.property(walks(kind), ({ walk: way, steps }) => {
          walk(way, steps, ({ nowMs, state, demand, grant }) => {
            const succeeds = (atMs: number) => counter.charge(counter.copy(state), demand, atMs).granted > 0;
            if (demand.amount === 0 || grant.granted > 0) assert.equal(grant.retryAfterMs, 0);
            else if (demand.amount > way.limit && !demand.bestEffort) {
              assert.equal(grant.retryAfterMs, way.windowMs, "a demand that can never succeed");
            } else {
              assert.ok(succeeds(nowMs + grant.retryAfterMs), "too early");
              assert.ok(!succeeds(nowMs + grant.retryAfterMs - 1), "too late");
            }
          });
        }),
        { numRuns: 200 },
      );
    });

    it("reports exactly when the whole limit is available, and is then equivalent to a new count", () => {
      fc.assert(
        fc.property(walks(kind), fc.nat(1_000), ({ walk: way, steps }, laterMs) => {
          walk(way, steps, ({ nowMs, state, demand, grant }) => {
            const look = { ...demand, amount: 0 };
            const remainingAt = (atMs: number) => counter.charge(counter.copy(state), look, atMs).remaining;
            const restsAtMs = nowMs + grant.resetMs;
            if (grant.resetMs > 0) assert.ok(remainingAt(restsAtMs - 1) < way.limit);
            const { slot: _old, ...asOld } = counter.charge(counter.copy(state), demand, restsAtMs + laterMs);
            const { slot: _new, ...asNew } = counter.charge(
              counter.create(restsAtMs + laterMs),
              demand,
              restsAtMs + laterMs,
            );
            assert.deepEqual(asOld, asNew);
          });
        }),
        { numRuns: 200 },
      );
    });

    it("is not changed by a read or a refusal", () => {
      fc.assert(
        fc.property(walks(kind), ({ walk: way, steps }) => {
          walk(way, steps, ({ nowMs, state, demand }) => {
            const looked = counter.copy(state);
            for (const amount of [0, way.limit + 1]) {
              counter.charge(looked, { ...demand, amount, bestEffort: false }, nowMs);
            }
            assert.deepEqual(looked, state);
          });
        }),
        { numRuns: 200 },
      );
    });

    it("takes back a grant in full when no other demand came between", () => {
      fc.assert(
        fc.property(
          LIMIT_AND_WINDOW,
          fc.double({ min: 0, max: 1, noNaN: true }),
          ({ limit, windowMs }, part) => {
            const state = counter.create(START_MS);
            const demand = { limit, windowMs, amount: Math.ceil(limit * part), bestEffort: true, leaseMs: 0 };
            const { granted, slot } = counter.charge(state, demand, START_MS);
            const back = counter.charge(state, { ...demand, amount: 0 - granted, slot }, START_MS);
            assert.equal(back.granted, 0 - granted);
            assert.equal(back.remaining, limit);
            assert.equal(
              counter.charge(state, { ...demand, amount: 0 - granted, slot }, START_MS).granted,
              0,
            );
          },
        ),
        { numRuns: 200 },
      );
    });

    it("takes nothing back that does not name its grant", () => {
      const state = counter.create(START_MS);
      const demand = { limit: 10, windowMs: 1_000, amount: 10, bestEffort: false, leaseMs: 0 };
      const { slot } = counter.charge(state, demand, START_MS);
      for (const named of [{}, { slot: slot - 1 }, { slot: slot + 1 }, { slot: 0 }]) {
        assert.equal(counter.charge(state, { ...demand, amount: -5, ...named }, START_MS).granted, 0);
      }
    });

    it("refuses everything at limit 0", () => {
      const state = counter.create(START_MS);
      for (const bestEffort of [true, false]) {
        const demand = { limit: 0, windowMs: 1_000, amount: 1, bestEffort, leaseMs: 100 };
        const grant = counter.charge(state, demand, START_MS);
        assert.deepEqual(
          { ...grant, slot: 0 },
          { granted: 0, remaining: 0, resetMs: 0, retryAfterMs: 1_000, validForMs: 0, slot: 0 },
        );
      }
    });

    it("applies each demand's own limit while the limit is edited up and down", () => {
      const state = counter.create(START_MS);
      const all = (limit: number, nowMs: number) =>
        counter.charge(state, { limit, windowMs: 1_000, amount: 1e6, bestEffort: true, leaseMs: 0 }, nowMs)
          .granted;
      assert.equal(all(10, START_MS), 10);
      assert.equal(all(10, START_MS), 0);
      assert.equal(all(25, START_MS), 15, "a larger limit adds what it is larger by");
      assert.equal(all(5, START_MS), 0, "a smaller one takes nothing away from those who have it");
      assert.equal(all(5, START_MS + 2_100), 5, "and holds from the next window on");
    });

    it("frees nothing early when the clock is set back, and recovers within two windows", () => {
      const jumps = (windowMs: number) =>
        fc.array(fc.oneof(fc.constant(0), fc.integer({ min: -windowMs * 50, max: 0 })), { maxLength: 40 });
      const walksBack = walks(kind).chain(({ walk: way, steps }) =>
        jumps(way.windowMs).map((jumpsMs) => ({ way: { ...way, jumpsMs }, steps })),
      );
      fc.assert(
        fc.property(walksBack, ({ way, steps }) => {
          const uses = walk(way, steps, ({ nowMs, state, demand, grant }) => {
            const back = { ...demand, amount: 1, bestEffort: false, leaseMs: 0 };
            const jumped = counter.copy(state);
            const afterMs = nowMs - 1_000 * way.windowMs;
            counter.charge(jumped, back, afterMs);
            const slotMs = Math.ceil(way.windowMs / 32);
            assert.equal(counter.charge(jumped, back, afterMs + 2 * way.windowMs + slotMs).granted, 1);
            assert.ok(grant.resetMs <= 2 * way.windowMs + slotMs);
          });
          // After a clock change, aligned windows have no meaning in real time.
          if (!["fixed-window", "calendar-period", "first-use-window"].includes(kind)) {
            assert.equal(findExcess(kind, uses, way.limit, way.windowMs), undefined);
          }
        }),
        { numRuns: 500 },
      );
    });
  });
}

describe("a count with several limits", () => {
  const MIXED = LIMIT_AND_WINDOW.chain(({ limit, windowMs }) =>
    fc.record({
      windowMs: fc.constant(windowMs),
      limits: fc.constant([...new Set([limit, Math.ceil(limit / 3), limit + 2])]),
      steps: arbitrarySteps(limit, windowMs),
      choices: fc.array(fc.nat(2), { minLength: 40, maxLength: 40 }),
    }),
  );

  for (const kind of WINDOW_KINDS) {
    const counter = counterOf(kind);

    it(`counts all uses, whatever limit applies, with ${kind}`, () => {
      fc.assert(
        fc.property(MIXED, ({ windowMs, limits, steps, choices }) => {
          const state = counter.create(START_MS);
          let used = 0;
          for (const [index, { amount, bestEffort }] of steps.entries()) {
            const limit = limits[(choices[index] as number) % limits.length] as number;
            const demand = { limit, windowMs, amount, bestEffort, leaseMs: 0 };
            const grant = counter.charge(state, demand, START_MS);
            const free = Math.max(0, limit - used);
            assert.equal(grant.granted, amount <= free ? amount : bestEffort ? free : 0);
            used += grant.granted;
            assert.equal(grant.remaining, Math.max(0, limit - used));
          }
        }),
        { numRuns: 300 },
      );
    });

    it(`never exceeds any of the limits as time passes, with ${kind}`, () => {
      fc.assert(
        fc.property(MIXED, ({ windowMs, limits, steps, choices }) => {
          const state = counter.create(START_MS);
          const uses: (Use & { readonly limit: number })[] = [];
          let nowMs = START_MS;
          for (const [index, step] of steps.entries()) {
            nowMs += step.waitMs;
            const limit = limits[(choices[index] as number) % limits.length] as number;
            const { amount, bestEffort, leaseMs } = step;
            const demand = { limit, windowMs, amount, bestEffort, leaseMs };
            const { granted, validForMs, slot, resetMs } = counter.charge(state, demand, nowMs);
            assert.ok(resetMs <= 2 * windowMs + Math.ceil(windowMs / 32));
            const used = Math.round(granted * step.usedPart);
            const atMs = nowMs + Math.floor(validForMs * step.usedAfterPart);
            if (used > 0) uses.push({ atMs, amount: used, limit });
            const back = { ...demand, amount: used - granted, leaseMs: 0, slot };
            if (used < granted) counter.charge(state, back, nowMs);
          }
          assert.equal(findExcess(kind, uses, Math.max(...limits), windowMs), undefined);
          for (const limit of limits) {
            const own = uses.filter((use) => use.limit === limit);
            assert.equal(findExcess(kind, own, limit, windowMs), undefined);
          }
        }),
        { numRuns: 500 },
      );
    });
  }
});

describe("the longest window that documents may have", () => {
  for (const kind of WINDOW_KINDS) {
    it(`is counted exactly with ${kind}`, () => {
      const counter = counterOf(kind);
      const limit = kind === "token-bucket" ? 950 : 1_000_000_000;
      const demand = { limit, windowMs: MAX_DURATION_MS, amount: 1, bestEffort: false, leaseMs: 0 };
      const state = counter.create(START_MS);
      assert.equal(counter.charge(state, { ...demand, amount: limit - 2 }, START_MS).granted, limit - 2);
      for (const remaining of [1, 0]) {
        const grant = counter.charge(state, demand, START_MS);
        assert.deepEqual([grant.granted, grant.remaining], [1, remaining]);
      }
      const refused = counter.charge(state, demand, START_MS + 2);
      assert.equal(refused.granted, 0);
      assert.ok(Number.isSafeInteger(refused.retryAfterMs) && refused.retryAfterMs > 0);
    });
  }
});

describe("fixed-window arithmetic, by example", () => {
  const demand = { limit: 10, windowMs: 1_000, amount: 10, bestEffort: false, leaseMs: 0 };
  const charge = (state: unknown, changes: Partial<QuotaDemand>, nowMs: number) =>
    QUOTA_COUNTERS["fixed-window"].charge(state, { ...demand, ...changes }, nowMs);

  it("begins windows at multiples of their length and ends leases with them", () => {
    const state = QUOTA_COUNTERS["fixed-window"].create(0);
    const grant = charge(state, { amount: 4, leaseMs: 500 }, 7_900);
    assert.deepEqual(grant, {
      granted: 4,
      remaining: 6,
      resetMs: 100,
      retryAfterMs: 0,
      validForMs: 99,
      slot: 7,
    });
    assert.equal(charge(state, {}, 7_999).retryAfterMs, 1);
    assert.equal(charge(state, {}, 8_000).granted, 10);
  });

  it("takes nothing back into a window that is over", () => {
    const state = QUOTA_COUNTERS["fixed-window"].create(0);
    const { slot } = charge(state, {}, 7_900);
    charge(state, { amount: 3 }, 8_000);
    const back = charge(state, { amount: -10, slot }, 8_001);
    assert.equal(back.granted, 0);
    assert.equal(back.remaining, 7);
  });

  it("keeps the count when the clock steps back over a boundary and forward again", () => {
    const state = QUOTA_COUNTERS["fixed-window"].create(0);
    assert.equal(charge(state, {}, 8_000).granted, 10);
    assert.equal(charge(state, {}, 7_999).granted, 0);
    assert.equal(charge(state, {}, 8_001).granted, 0);
  });
});

describe("token-bucket arithmetic, by example", () => {
  const counter = QUOTA_COUNTERS["token-bucket"];
  const charge = (state: unknown, changes: Partial<QuotaDemand>, nowMs: number) =>
    counter.charge(
      state,
      { limit: 10, windowMs: 1_000, amount: 1, bestEffort: false, leaseMs: 0, ...changes },
      nowMs,
    );

  it("refills evenly", () => {
    const state = counter.create(0);
    assert.equal(charge(state, { amount: 10 }, 0).granted, 10);
    assert.equal(charge(state, {}, 99).granted, 0);
    assert.equal(charge(state, {}, 100).granted, 1);
    assert.equal(charge(state, { amount: 20, bestEffort: true }, 500).granted, 4);
  });

  it("grants the last token with the full lease, and refills from the lease's end", () => {
    const state = counter.create(0);
    const grant = charge(state, { limit: 1, leaseMs: 500 }, 0);
    assert.deepEqual([grant.granted, grant.validForMs], [1, 500]);
    assert.equal(charge(state, { limit: 1 }, 1_499).granted, 0);
    assert.equal(charge(state, { limit: 1 }, 1_500).granted, 1);
  });

  it("refills each limit's bucket at its own rate, and takes every grant from all of them", () => {
    const state = counter.create(0);
    assert.equal(charge(state, { limit: 1_000, amount: 1_000 }, 0).granted, 1_000);
    assert.equal(charge(state, { limit: 4 }, 0).granted, 0);
    assert.equal(charge(state, { limit: 4 }, 249).granted, 0);
    assert.equal(charge(state, { limit: 4 }, 250).granted, 1);
    assert.equal(charge(state, { limit: 4 }, 250).granted, 0);
    // A read under the small limit neither dropped the use under the large limit, nor delayed its refill.
    assert.equal(charge(state, { limit: 1_000, amount: 2_000, bestEffort: true }, 250).granted, 249);
    assert.equal(charge(state, { limit: 4 }, 500).granted, 1);
  });

  it("keeps a bounded number of limits in one count, and drops no use for it", () => {
    const state = counter.create(0);
    for (let limit = 1; limit <= 100; limit++) charge(state, { limit, amount: 1 }, 0);
    assert.ok((state as { readonly buckets: readonly unknown[] }).buckets.length <= 8);
    for (let limit = 1; limit <= 100; limit++)
      assert.equal(charge(state, { limit, amount: 1 }, 0).granted, 0);
  });

  it("does not lose single tokens of a limit of a thousand million", () => {
    const state = counter.create(START_MS);
    const large = { limit: 1_000_000_000, windowMs: 1_000 };
    assert.equal(charge(state, { ...large, amount: 999_999_998 }, START_MS).granted, 999_999_998);
    assert.equal(charge(state, large, START_MS).granted, 1);
    assert.equal(charge(state, large, START_MS).remaining, 0);
    assert.equal(charge(state, large, START_MS).granted, 0);
  });
});

describe("first-use-window arithmetic, by example", () => {
  const counter = QUOTA_COUNTERS["first-use-window"];
  const demand = { limit: 10, windowMs: 1_000, amount: 10, bestEffort: false, leaseMs: 0 };
  const charge = (state: unknown, changes: Partial<QuotaDemand>, nowMs: number) =>
    counter.charge(state, { ...demand, ...changes }, nowMs);

  it("begins a window with the first charge, and ends leases with it", () => {
    const state = counter.create(0);
    const first = charge(state, { amount: 4, leaseMs: 5_000 }, 7_900);
    assert.deepEqual(first, {
      granted: 4,
      remaining: 6,
      resetMs: 1_000,
      retryAfterMs: 0,
      validForMs: 999,
      slot: 7_900,
    });
    assert.equal(charge(state, {}, 8_899).retryAfterMs, 1);
    assert.equal(charge(state, {}, 8_900).granted, 10);
    assert.equal(charge(state, { amount: 1 }, 9_899).retryAfterMs, 1);
  });

  it("begins no window with a question, a refusal or a grant that is given back", () => {
    const state = counter.create(0);
    charge(state, { amount: 0 }, 100);
    charge(state, { amount: 11 }, 200);
    const { slot } = charge(state, {}, 300);
    charge(state, { amount: -10, slot }, 400);
    assert.equal(charge(state, {}, 500).resetMs, 1_000);
    assert.equal(charge(state, {}, 1_499).granted, 0);
  });

  it("takes nothing back into a window that is over", () => {
    const state = counter.create(0);
    const { slot } = charge(state, {}, 100);
    charge(state, { amount: 3 }, 1_100);
    const back = charge(state, { amount: -10, slot }, 1_101);
    assert.deepEqual([back.granted, back.remaining], [0, 7]);
  });
});

describe("sliding-log arithmetic, by example", () => {
  const counter = QUOTA_COUNTERS["sliding-log"];
  const demand = { limit: 3, windowMs: 1_000, amount: 1, bestEffort: false, leaseMs: 0 };
  const charge = (state: unknown, changes: Partial<QuotaDemand>, nowMs: number) =>
    counter.charge(state, { ...demand, ...changes }, nowMs);

  it("frees each unit exactly a window after its use, where slots free it later", () => {
    const state = counter.create(0);
    for (const nowMs of [0, 1, 500]) assert.equal(charge(state, {}, nowMs).granted, 1);
    for (const [nowMs, granted] of [
      [999, 0],
      [1_000, 1],
      [1_000, 0],
      [1_001, 1],
      [1_499, 0],
      [1_500, 1],
    ] as const)
      assert.equal(charge(state, {}, nowMs).granted, granted, `at ${nowMs}`);
  });

  it("frees a leased unit a window after the lease's end, in windows of a millisecond too", () => {
    const state = counter.create(0);
    assert.equal(charge(state, { amount: 3, leaseMs: 40 }, 0).validForMs, 40);
    assert.equal(charge(state, {}, 1_039).retryAfterMs, 1);
    assert.equal(charge(state, {}, 1_040).granted, 1);
    const short = counter.create(0);
    for (let nowMs = 0; nowMs < 5; nowMs++) {
      assert.equal(charge(short, { windowMs: 1, amount: 3 }, nowMs).granted, 3);
      assert.equal(charge(short, { windowMs: 1 }, nowMs).retryAfterMs, 1);
    }
  });

  it("has at most as many entries as the limit, and one for each millisecond", () => {
    const state = counter.create(0);
    const large = { limit: 1_000, windowMs: 10_000 };
    for (let use = 0; use < 3_000; use++) charge(state, large, Math.floor(use / 2));
    assert.equal(counter.entries?.(state), 500);
    for (let use = 0; use < 3_000; use++) charge(state, large, 20_000 + use);
    assert.equal(counter.entries?.(state), 1_000);
  });
});

describe("a grant from before the clock was set back", () => {
  for (const kind of ["sliding-window", "sliding-log"] as const) {
    it(`takes at most its own amount from another grant of its slot when it is given back, ${kind}`, () => {
      const counter = counterOf(kind);
      const state = counter.create(START_MS);
      const windowMs = 1_000;
      const ask = (amount: number, nowMs: number, fields: Partial<QuotaDemand> = {}) =>
        counter.charge(
          state,
          { limit: 100, windowMs, amount, bestEffort: false, leaseMs: 0, ...fields },
          nowMs,
        );
      const early = ask(28, START_MS);
      // The count forgets the first grant a window after the step, and reaches its slot again another window later.
      const setBackMs = START_MS - 3 * windowMs;
      ask(0, setBackMs);
      const late = ask(17, START_MS);
      assert.equal(late.slot, early.slot);
      // Known and bounded: slots are times, and nothing tells the two grants apart.
      const back = ask(-28, START_MS, { slot: early.slot });
      assert.equal(back.granted, -17);
      assert.equal(ask(100, START_MS, { bestEffort: true }).granted, 100);
    });
  }
});
