// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { MaybePromise } from "../../kernel/maybe-promise.ts";
import type { QuotaGrant, QuotaRequest, QuotaStore } from "../../core/quota/quota.ts";
import type { CounterKind } from "../../core/quota/counting/counter-kind.ts";
import { COUNTER_KINDS, selectorOf, WINDOW_KINDS } from "./quota-countings.ts";

/** The contract of every quota store, as one shared suite, so that stores behave alike. */
export interface QuotaStoreSubject {
  readonly store: QuotaStore;
  /** Advances the store's clock, real or virtual. */
  wait(durationMs: number): MaybePromise<void>;
}

const PERIOD = {
  rule: "r",
  previousPeriodStartMs: 1,
  periodStartMs: 2,
  periodEndMs: 3,
  nextPeriodEndMs: 4,
};

/** A window so long that it does not end, and frees nothing, during a test. */
const LONG_MS = 100 * 24 * 3_600_000;

let lastName = 0;

/** A unique name, so that tests do not share counts. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${++lastName}`;
}

/** Registers the suite; each test calls `subject` after the suite's hooks have run. */
export function describeQuotaStore(title: string, subject: () => QuotaStoreSubject): void {
  const allocate = async (requests: readonly QuotaRequest[], deduplicationId = uniqueName("call")) =>
    await subject().store.allocate(requests, { deduplicationId });
  const allocateOne = async (request: QuotaRequest, deduplicationId?: string): Promise<QuotaGrant> =>
    (await allocate([request], deduplicationId))[0] as QuotaGrant;

  describe(title, () => {
    for (const kind of COUNTER_KINDS)
      describe(`counting by ${kind}`, () => describeKind(kind, allocate, allocateOne, subject));

    it("decides requests of different algorithms together", async () => {
      const requests = COUNTER_KINDS.map((kind) => demandBy(kind, { limit: 3, amount: 2 }));
      assert.deepEqual(
        granted(await allocate(requests)),
        COUNTER_KINDS.map(() => 2),
      );
      assert.deepEqual(
        granted(await allocate(requests)),
        COUNTER_KINDS.map(() => 0),
      );
    });

    it("answers an empty call with no grants", async () => {
      assert.deepEqual(await allocate([]), []);
    });

    it("keeps names of any characters apart", async () => {
      const names = [
        "a b",
        "a",
        "a\n",
        'p{"user":"Zoë 🛳️"}',
        "p{}",
        "{",
        "}",
        "%s",
        "\u0000",
        "x".repeat(5_000),
      ];
      const cells = names.map((name) => uniqueName("odd") + name);
      for (const cell of cells)
        assert.equal((await allocateOne(demandBy("sliding-window", { cell, limit: 1 }))).granted, 1);
      for (const cell of cells)
        assert.equal((await allocateOne(demandBy("sliding-window", { cell, limit: 1 }))).granted, 0);
    });

    it("refuses numbers that are not valid amounts", async () => {
      const wrong: Partial<QuotaRequest>[] = [
        { amount: 0.5 },
        { amount: Number.NaN },
        { limit: -1 },
        { limit: Number.POSITIVE_INFINITY },
        { windowMs: 0 },
        { leaseMs: -1 },
        { slot: 1.5 },
        { algorithm: "fixed-window", period: { ...PERIOD, periodEndMs: 2 } },
        { algorithm: "fixed-window", period: { ...PERIOD, nextPeriodEndMs: 4.5 } },
      ];
      for (const changes of wrong)
        await assert.rejects(allocate([demandBy("sliding-window", changes)]), RangeError);
    });

    it("counts each call without a deduplication id separately", async () => {
      const request = demandBy("sliding-window", { limit: 10 });
      await allocateOne(request, "");
      assert.equal((await allocateOne(request, "")).remaining, 8);
    });
  });
}

function describeKind(
  kind: CounterKind,
  allocate: (requests: readonly QuotaRequest[], id?: string) => Promise<readonly QuotaGrant[]>,
  allocateOne: (request: QuotaRequest, id?: string) => Promise<QuotaGrant>,
  subject: () => QuotaStoreSubject,
): void {
  const demand = (changes: Partial<QuotaRequest>) => demandBy(kind, changes);

  it("grants up to the limit, then refuses with the time to retry", async () => {
    const request = demand({ limit: 3 });
    for (const remaining of [2, 1, 0]) {
      const grant = await allocateOne(request);
      assert.deepEqual([grant.granted, grant.remaining, grant.retryAfterMs], [1, remaining, 0]);
      assert.ok(grant.resetMs > 0);
    }
    const refused = await allocateOne(request);
    assert.deepEqual([refused.granted, refused.remaining], [0, 0]);
    assert.ok(refused.retryAfterMs > 0);
  });

  it("grants all or nothing, or the remainder with best effort", async () => {
    const cell = uniqueName("cell");
    assert.equal((await allocateOne(demand({ cell, limit: 10, amount: 7 }))).granted, 7);
    assert.equal((await allocateOne(demand({ cell, limit: 10, amount: 4 }))).granted, 0);
    const rest = await allocateOne(demand({ cell, limit: 10, amount: 4, bestEffort: true }));
    assert.deepEqual([rest.granted, rest.remaining, rest.retryAfterMs], [3, 0, 0]);
  });

  it("only reads the count when the amount is 0", async () => {
    const cell = uniqueName("cell");
    await allocateOne(demand({ cell, limit: 10, amount: 4 }));
    for (let look = 0; look < 2; look++) {
      const { granted, remaining } = await allocateOne(demand({ cell, limit: 10, amount: 0 }));
      assert.deepEqual([granted, remaining], [0, 6]);
    }
  });

  it("takes back the amount that its grant names, once", async () => {
    const cell = uniqueName("cell");
    const { slot } = await allocateOne(demand({ cell, limit: 10, amount: 10 }));
    const back = await allocateOne(demand({ cell, limit: 10, amount: -4, slot }));
    assert.deepEqual([back.granted, back.remaining], [-4, 4]);
    const more = await allocateOne(demand({ cell, limit: 10, amount: -400, slot }));
    assert.deepEqual([more.granted, more.remaining], [-6, 10]);
    const none = await allocateOne(demand({ cell, limit: 10, amount: -1, slot }));
    assert.deepEqual([none.granted, none.remaining], [0, 10]);
  });

  it("takes nothing for a call when one of its requests is refused", async () => {
    const [open, full] = [uniqueName("open"), uniqueName("full")];
    await allocateOne(demand({ cell: full, limit: 1 }));
    const [first, second, third] = await allocate([
      demand({ cell: open, limit: 5 }),
      demand({ cell: full, limit: 1 }),
      demand({ cell: open, limit: 5, bestEffort: true }),
    ]);
    assert.deepEqual([first?.granted, first?.remaining, first?.retryAfterMs], [0, 5, 0]);
    assert.deepEqual([second?.granted, second?.remaining], [0, 0]);
    assert.ok((second?.retryAfterMs ?? 0) > 0, "the refused one tells itself by its retryAfterMs");
    assert.deepEqual([third?.granted, third?.validForMs], [0, 0]);
    assert.equal((await allocateOne(demand({ cell: open, limit: 5, amount: 5 }))).granted, 5);
  });

  it("counts a cell that a call names twice only once", async () => {
    const cell = uniqueName("cell");
    const request = demand({ cell, limit: 5, amount: 3 });
    assert.deepEqual(granted(await allocate([request, request])), [0, 0]);
    assert.deepEqual(granted(await allocate([request, { ...request, amount: 2 }])), [3, 2]);
    assert.equal((await allocateOne({ ...request, amount: 0 })).remaining, 0);
  });

  it("does not fail a call for a request with best effort", async () => {
    const [open, full] = [uniqueName("open"), uniqueName("full")];
    await allocateOne(demand({ cell: full, limit: 1 }));
    const requests = [
      demand({ cell: open, limit: 5, amount: 2 }),
      demand({ cell: full, limit: 1, amount: 2, bestEffort: true }),
    ];
    assert.deepEqual(granted(await allocate(requests)), [2, 0]);
  });

  it("answers a repeated call (deduplication id) with its first answer, and counts nothing", async () => {
    const id = uniqueName("repeated");
    const request = demand({ limit: 3, amount: 2 });
    const other = demand({});
    const first = await allocate([request, other], id);
    assert.deepEqual(await allocate([request, other], id), first);
    assert.equal((await allocateOne({ ...request, amount: 0 })).remaining, 1);
    const refusal = uniqueName("refused");
    assert.equal((await allocateOne(request, refusal)).granted, 0);
    await allocateOne({ ...request, amount: -2, slot: first[0]?.slot as number });
    assert.equal((await allocateOne(request, refusal)).granted, 0, "even a refusal stays as it was");
  });

  it("limits a repeated call's lease to the first call's lease", async () => {
    const id = uniqueName("repeated");
    const request = demand({ limit: 100, amount: 1, leaseMs: 10_000 });
    const first = await allocateOne(request, id);
    assert.equal(first.validForMs, 10_000);
    await subject().wait(30);
    const again = await allocateOne(request, id);
    assert.ok(again.validForMs <= 9_970 && again.validForMs > 5_000, `${again.validForMs} ms`);
  });

  it("keeps the count when the limit is edited", async () => {
    const cell = uniqueName("cell");
    await allocateOne(demand({ cell, limit: 10, amount: 10 }));
    const larger = await allocateOne(demand({ cell, limit: 15, amount: 100, bestEffort: true }));
    assert.equal(larger.granted, 5);
    assert.equal((await allocateOne(demand({ cell, limit: 5 }))).granted, 0);
  });

  if (WINDOW_KINDS.includes(kind)) {
    it("counts anew when the window is edited, and still has the old count", async () => {
      const cell = uniqueName("cell");
      const old = demand({ cell, limit: 1 });
      assert.equal((await allocateOne(old)).granted, 1);
      assert.equal((await allocateOne(demand({ cell, limit: 1, windowMs: LONG_MS * 2 }))).granted, 1);
      assert.equal((await allocateOne(old)).granted, 0);
    });
  }

  it("grants exactly the limit to concurrent callers", async () => {
    const cell = uniqueName("cell");
    const calls = Array.from({ length: 200 }, () => allocateOne(demand({ cell, limit: 50 })));
    assert.equal(
      granted(await Promise.all(calls)).reduce((sum, amount) => sum + amount, 0),
      50,
    );
  });

  if (kind === "allocation" || kind === "calendar-period") return;

  it("grants again after the wait that a refusal names", async () => {
    const request = demand({ limit: 4, windowMs: 160, amount: 3 });
    for (let round = 0; round < 3; round++) {
      let grant = await allocateOne(request);
      if (grant.granted === 0) {
        assert.ok(grant.retryAfterMs <= 330);
        await subject().wait(grant.retryAfterMs);
        grant = await allocateOne(request);
      }
      assert.equal(grant.granted, 3);
    }
  });
}

/** A demand on a count of that kind. Calendar periods last for as long as any test. */
function demandBy(kind: CounterKind, changes: Partial<QuotaRequest>): QuotaRequest {
  const { windowMs = LONG_MS } = changes;
  const selector = selectorOf(kind, windowMs, 0);
  const period = {
    rule: `every-${windowMs}`,
    previousPeriodStartMs: 0,
    periodStartMs: 1,
    periodEndMs: 4e12,
    nextPeriodEndMs: 5e12,
  };
  return {
    cell: uniqueName("cell"),
    limit: 10,
    amount: 1,
    bestEffort: false,
    leaseMs: 0,
    ...changes,
    ...selector,
    ...(selector.period === undefined ? {} : { period }),
  };
}

function granted(grants: readonly QuotaGrant[]): readonly number[] {
  return grants.map((grant) => grant.granted);
}
