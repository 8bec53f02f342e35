// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import {
  createMemoryQuotaStore,
  type QuotaGrant,
  type QuotaRequest,
  type QuotaStore,
} from "../../plugins/sdk/index.ts";
import { createVirtualTime, quotaRequest } from "../../plugins/sdk/testing/index.ts";
import type { ScriptCall } from "./encoding.ts";
import { chargeParts, partsOf } from "./several-shards.ts";
import { shardOf } from "./shards.ts";

const SHARDS = 16;
const never = () => new Promise<void>(() => undefined);

describe("a call on several shards", () => {
  const [ada, bob] = ["ada", "bob"].map((user) => quotaRequest({ cell: `p{"user":"${user}"}` })) as [
    QuotaRequest,
    QuotaRequest,
  ];
  /** Shards in memory; the calls of the numbers in `failing`, from 1, fail or hang. */
  const shards = () => {
    const { clock } = createVirtualTime();
    const stores = Array.from({ length: SHARDS }, () => createMemoryQuotaStore({ clock }));
    const storeOf = (shard: number) => stores[shard] as QuotaStore;
    const calls: { shard: number; call: ScriptCall }[] = [];
    const failing = new Map<number, Error | "hangs">();
    const ask = async (shard: number, call: ScriptCall) => {
      calls.push({ shard, call });
      const failure = failing.get(calls.length);
      if (failure === "hangs") return await new Promise<never>(() => undefined);
      if (failure !== undefined) throw failure;
      return storeOf(shard).allocate(call.requests, { deduplicationId: call.deduplicationId });
    };
    const remaining = ({ cell }: QuotaRequest) => {
      const requests = [quotaRequest({ cell, amount: 0 })];
      const grants = storeOf(shardOf(cell, SHARDS)).allocate(requests, { deduplicationId: "" });
      return (grants as readonly QuotaGrant[])[0]?.remaining;
    };
    return { ask, calls, failing, remaining };
  };

  it("has a part for each shard, with the positions of its requests", () => {
    const again = { ...ada, cell: 'q{"user":"ada"}' };
    assert.deepEqual(
      partsOf([ada, bob, again], SHARDS).map(({ requests, positions }) => ({ requests, positions })),
      [
        { requests: [ada, again], positions: [0, 2] },
        { requests: [bob], positions: [1] },
      ],
    );
    assert.deepEqual(partsOf([], SHARDS), []);
  });

  it("gives the granted parts back when one is refused, under an id of their own", async () => {
    const { ask, calls, remaining } = shards();
    const tooMuch = { ...bob, amount: 11 };
    const grants = await chargeParts(partsOf([ada, tooMuch], SHARDS), "id", ask, never);
    assert.deepEqual(
      grants.map(({ granted, remaining: left, retryAfterMs }) => [granted, left, retryAfterMs > 0]),
      [
        [0, 10, false],
        [0, 10, true],
      ],
    );
    assert.equal(remaining(ada), 10);
    assert.deepEqual(
      calls.map(({ call }) => call.deduplicationId),
      ["id shard", "id shard", "id return"],
    );
  });

  it("has no ids when the call has none, and keeps best-effort grants", async () => {
    const { ask, calls, remaining } = shards();
    const part = { ...bob, amount: 11, bestEffort: true };
    const grants = await chargeParts(partsOf([ada, part], SHARDS), "", ask, never);
    assert.deepEqual(
      grants.map(({ granted }) => granted),
      [1, 10],
    );
    assert.equal(remaining(bob), 0);
    assert.ok(calls.every(({ call }) => call.deduplicationId === ""));
  });

  it("gives the granted parts back when one fails, and fails", async () => {
    const { ask, failing, remaining } = shards();
    failing.set(2, new Error("the node is away"));
    await assert.rejects(chargeParts(partsOf([ada, bob], SHARDS), "id", ask, never), /node is away/);
    assert.equal(remaining(ada), 10);
  });

  it("is answered without waiting for a return that fails or hangs", async () => {
    for (const failure of [new Error("the node is away"), "hangs"] as const) {
      const { ask, failing, remaining } = shards();
      failing.set(3, failure);
      const tooMuch = { ...bob, amount: 11 };
      const patience = () => Promise.resolve();
      const grants = await chargeParts(partsOf([ada, tooMuch], SHARDS), "id", ask, patience);
      assert.deepEqual(
        grants.map(({ granted }) => granted),
        [0, 0],
      );
      assert.equal(remaining(ada), 9, "counts until its window ends");
    }
  });
});
