// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { isPromise } from "../../kernel/maybe-promise.ts";
import { callId } from "./call-id.ts";
import { createMemoryQuotaStore } from "./memory-store.ts";
import type { QuotaStore } from "./quota.ts";
import { createVirtualTime } from "../../plugins/sdk/testing/index.ts";
import { chargeAll } from "./charge-all.ts";
import { type Demand, demandOf, type NamedStore } from "./demand.ts";
import type { QuotaOutcome } from "./quota-charge.ts";
import { charge as chargeOf } from "../../test/support/quota-charges.ts";

function setUp(nodes = 1) {
  const { clock } = createVirtualTime();
  const memory = (name: string): NamedStore & { calls: number } => {
    const inner = createMemoryQuotaStore({ clock });
    const store = {
      name,
      calls: 0,
      allocate: (...call: Parameters<QuotaStore["allocate"]>) => {
        store.calls += 1;
        return inner.allocate(...call);
      },
    };
    return store;
  };
  const localStore = createMemoryQuotaStore({ clock });
  const chargeAs = (demands: readonly Demand[], deduplicationId: string) =>
    chargeAll(demands, { localStore, nodes, deduplicationId });
  let id = 0;
  const charge = async (demands: readonly Demand[]): Promise<readonly QuotaOutcome[]> =>
    chargeAs(demands, `id-${++id}`);
  return { chargeAs, charge, memory };
}

function demand(
  store: NamedStore,
  policy: string,
  fields: Partial<Demand> = {},
  limit = 2,
  amount = 1,
): Demand {
  return { ...demandOf(chargeOf(policy, { limit, amount }), store, { nowMs: 0 }), ...fields };
}

const away: NamedStore = { name: "away", allocate: () => Promise.reject(new Error("connection refused")) };
const granted = (outcomes: readonly QuotaOutcome[]) => outcomes.map((outcome) => outcome.granted);

describe("charging quotas", () => {
  it("is synchronous with a synchronous store", () => {
    const { chargeAs, memory } = setUp();
    assert.ok(!isPromise(chargeAs([demand(memory("m"), "q")], "id")));
  });

  it("asks each store once and answers in the order of the demands", async () => {
    const { charge, memory } = setUp();
    const [one, two] = [memory("one"), memory("two")];
    const outcomes = await charge([demand(one, "a"), demand(two, "b"), demand(one, "c")]);
    assert.deepEqual(
      outcomes.map(({ policy, granted: amount }) => [policy, amount]),
      [
        ["a", 1],
        ["b", 1],
        ["c", 1],
      ],
    );
    assert.deepEqual([one.calls, two.calls], [1, 1]);
  });

  it("takes nothing from any store when one refuses", async () => {
    const { charge, memory } = setUp();
    const [one, two] = [memory("one"), memory("two")];
    const refused = await charge([demand(one, "wide", {}, 2), demand(two, "narrow", {}, 0)]);
    assert.deepEqual(granted(refused), [0, 0]);
    assert.equal(refused[0]?.retryAfterMs, 0);
    assert.ok((refused[1]?.retryAfterMs ?? 0) > 0);
    // All of `wide` is still available.
    assert.deepEqual(granted(await charge([demand(one, "wide", {}, 2, 2)])), [2]);
  });

  it("isolates shadow demands from enforced ones, and from each other", async () => {
    const { charge, memory } = setUp();
    const store = memory("m");
    const shadow = { mode: "shadow" } as const;
    const outcomes = await charge([
      demand(store, "enforced"),
      demand(store, "none", shadow, 0),
      demand(store, "some", shadow),
    ]);
    assert.deepEqual(granted(outcomes), [1, 0, 1]);
  });

  it("answers a repeated id with the first answer", async () => {
    const { chargeAs, memory } = setUp();
    const store = memory("m");
    for (let repeat = 0; repeat < 3; repeat++) {
      assert.deepEqual(granted(await chargeAs([demand(store, "q", {}, 1)], "same")), [1]);
    }
    assert.deepEqual(granted(await chargeAs([demand(store, "q", {}, 1)], "other")), [0]);
  });

  it("applies each policy's onStoreFailure", async () => {
    const { charge } = setUp(2);
    const ask = (onStoreFailure: Demand["onStoreFailure"]) =>
      charge([demand(away, onStoreFailure, { onStoreFailure }, 4)]);
    const [allowed] = await ask("allow");
    assert.equal(allowed?.granted, 1);
    assert.deepEqual(allowed?.failure, { code: "PURSER_STORE_UNAVAILABLE", applied: "allow" });
    const [denied] = await ask("deny");
    assert.equal(denied?.granted, 0);
    assert.ok((denied?.retryAfterMs ?? 0) > 0);
    // Half of the limit of four for each of two nodes.
    const local = [await ask("local"), await ask("local"), await ask("local")].flat();
    assert.deepEqual(granted(local), [1, 1, 0]);
    assert.equal(local[0]?.failure?.applied, "local");
  });

  it("gives back one store's grant when another store's failure refuses", async () => {
    const { charge, memory } = setUp();
    const store = memory("m");
    assert.deepEqual(granted(await charge([demand(store, "q", {}, 1), demand(away, "r")])), [0, 0]);
    assert.deepEqual(granted(await charge([demand(store, "q", {}, 1)])), [1]);
  });

  it("treats a malformed answer as a failure", async () => {
    const { charge } = setUp();
    for (const answer of [undefined, [], [{}], [{ granted: Number.NaN }]]) {
      const store = { name: "odd", allocate: () => answer as never };
      assert.equal(
        (await charge([demand(store, "q", { onStoreFailure: "allow" })]))[0]?.failure?.applied,
        "allow",
      );
    }
  });
});

describe("charging a count that an operator has adjusted", () => {
  const BLOCK = { nowMs: 0, effect: { blockedForMs: 700 } };
  const blocked = (store: NamedStore, policy: string, fields: Partial<Demand> = {}, limit = 5): Demand => ({
    ...demandOf(chargeOf(policy, { limit }), store, BLOCK),
    ...fields,
  });

  it("refuses a blocked one until the block ends, and takes nothing for the others", async () => {
    for (const algorithm of ["fixed-window", "sliding-window", "token-bucket"] as const) {
      const { charge, memory } = setUp();
      const store = memory("m");
      const open = demandOf(chargeOf("open", { algorithm, limit: 5 }), store, { nowMs: 0 });
      assert.equal((await charge([open]))[0]?.remaining, 4);
      const shut = demandOf(chargeOf("shut", { algorithm, limit: 5 }), store, BLOCK);
      const [first, second] = await charge([open, shut]);
      assert.deepEqual([first?.granted, first?.retryAfterMs, first?.remaining], [0, 0, 4]);
      const { granted: amount, remaining, resetMs, retryAfterMs } = second as QuotaOutcome;
      assert.deepEqual([amount, remaining, resetMs, retryAfterMs], [0, 0, 700, 700]);
      const bestEffort = demandOf(chargeOf("shut", { algorithm, limit: 5 }), store, {
        ...BLOCK,
        bestEffort: true,
      });
      assert.deepEqual(granted(await charge([bestEffort])), [0]);
    }
  });

  it("refuses a blocked one whatever onStoreFailure says, without a failure for the caller to act on", async () => {
    for (const onStoreFailure of ["allow", "deny", "local"] as const) {
      const { charge } = setUp();
      const [outcome] = await charge([blocked(away, "q", { onStoreFailure })]);
      assert.deepEqual([outcome?.granted, outcome?.retryAfterMs, outcome?.failure], [0, 700, undefined]);
    }
  });

  it("takes back what a blocked one was granted before", async () => {
    const { charge, memory } = setUp();
    const store = memory("m");
    const [before] = await charge([demand(store, "q", {}, 5, 3)]);
    const back = demandOf(chargeOf("q", { limit: 5, amount: -3 }), store, { ...BLOCK, slot: before?.slot });
    assert.deepEqual(granted(await charge([back])), [-3]);
  });

  it("grants up to the limit of a raise, and never lowers a limit", async () => {
    const { charge, memory } = setUp();
    const store = memory("m");
    const raised = (policy: string, limit: number, amount: number) =>
      demandOf(chargeOf(policy, { limit, amount }), store, { nowMs: 0, effect: { raisedTo: 6 } });
    assert.deepEqual(granted(await charge([raised("low", 2, 6)])), [6]);
    assert.deepEqual(granted(await charge([raised("low", 2, 1)])), [0]);
    assert.deepEqual(granted(await charge([raised("high", 9, 9)])), [9]);
  });
});

describe("ids of charges", () => {
  /** Store names that a document can give, and the place where each store counts. */
  const PLACES: Readonly<Record<string, "memory" | "other" | "shared" | "away">> = {
    memory: "memory",
    other: "other",
    "redis-a": "shared",
    "redis-b": "shared",
    "gone-a": "away",
    "gone-b": "away",
  };
  const QUOTAS = [
    { policy: "big", cell: "big{}", limit: 100, mode: "enforce" },
    { policy: "small", cell: "small{}", limit: 3, mode: "enforce" },
    { policy: "small", cell: 'small{"role":"admin"}', limit: 2, mode: "enforce" },
    { policy: "trial", cell: "trial{}", limit: 1, mode: "shadow" },
    { policy: "trial", cell: 'trial{"role":"admin"}', limit: 4, mode: "shadow" },
  ] as const;
  const CALLS = 6;

  function setUpPlaces() {
    const { clock } = createVirtualTime();
    const counting = {
      memory: createMemoryQuotaStore({ clock }),
      other: createMemoryQuotaStore({ clock }),
      shared: createMemoryQuotaStore({ clock }),
    };
    const storeOf = (name: string): NamedStore => {
      const place = PLACES[name] as (typeof PLACES)[string];
      return {
        name,
        allocate: (...call) => {
          if (place === "away") throw new Error("connection refused");
          return counting[place].allocate(...call);
        },
      };
    };
    const localStore = createMemoryQuotaStore({ clock });
    const chargeAs = (demands: readonly Demand[], deduplicationId: string) =>
      chargeAll(demands, { localStore, nodes: 1, deduplicationId });
    return { storeOf, chargeAs };
  }

  for (const onStoreFailure of ["local", "deny"] as const) {
    it(`keep every pair of quotas on every pair of stores apart, with ${onStoreFailure}`, async () => {
      let tried = 0;
      for (const first of QUOTAS) {
        for (const second of QUOTAS) {
          for (const one of Object.keys(PLACES)) {
            for (const two of Object.keys(PLACES)) {
              // Two demands on one count, and one document with two stores, are out of scope here.
              if (first === second || (first.policy === second.policy && one !== two)) continue;
              tried++;
              const { storeOf, chargeAs } = setUpPlaces();
              const demands = [
                { ...first, store: one },
                { ...second, store: two },
              ].map(({ policy, cell, limit, mode, store }) => {
                const plain = demand(storeOf(store), policy, { mode, onStoreFailure }, limit);
                return { ...plain, request: { ...plain.request, cell } };
              });
              const sums = [0, 0];
              for (let call = 0; call < CALLS; call++) {
                const outcomes = await chargeAs(demands, `call-${call}`);
                assert.deepEqual(await chargeAs(demands, `call-${call}`), outcomes, "a retry");
                for (const [index, { granted: amount }] of outcomes.entries())
                  sums[index] = (sums[index] as number) + amount;
              }
              const what = `${first.cell} on ${one}, ${second.cell} on ${two}`;
              assert.deepEqual(sums, expectedSums([first, second], [one, two], onStoreFailure), what);
            }
          }
        }
      }
      assert.ok(tried > 400, `${tried} pairs`);
    });
  }

  /** Expected totals of two quotas: enforced ones together, and the quotas of one shadow policy together. */
  function expectedSums(
    quotas: readonly (typeof QUOTAS)[number][],
    stores: readonly string[],
    onStoreFailure: "local" | "deny",
  ): readonly number[] {
    const alone = quotas.map(({ limit }, index) =>
      onStoreFailure === "deny" && PLACES[stores[index] as string] === "away" ? 0 : Math.min(CALLS, limit),
    );
    const [first, second] = quotas;
    const together =
      first?.mode === second?.mode && (first?.mode === "enforce" || first?.policy === second?.policy);
    return together ? alone.map(() => Math.min(...alone)) : alone;
  }

  it("differ whenever two requests differ in more than the limit", () => {
    const part = { call: "c", purpose: "enforce", store: "s" };
    const request = demand(away, "q").request;
    const ids = [
      callId(part, [request]),
      callId({ ...part, call: "d" }, [request]),
      callId({ ...part, purpose: "return" }, [request]),
      callId({ ...part, store: "t" }, [request]),
      callId(part, []),
      callId(part, [request, request]),
      ...[
        { cell: "q{1}" },
        { amount: 2 },
        { amount: -1, slot: 1 },
        { amount: -1, slot: 2 },
        { windowMs: 1 },
        { algorithm: "token-bucket" as const },
      ].map((changes) => callId(part, [{ ...request, ...changes }])),
    ];
    assert.equal(new Set(ids).size, ids.length);
    assert.equal(callId(part, [{ ...request, limit: 9 }]), ids[0]);
  });
});
