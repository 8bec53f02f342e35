// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { encode } from "@msgpack/msgpack";
import fc from "fast-check";
import { COUNTER_KINDS, selectorOf } from "../../test/support/quota-countings.ts";
import { decodeReply, encodeCalls } from "./encoding.ts";

const NOW_MS = 1_767_225_600_123;
const GRANT = [1, 9, 60_000, 0, 0, 7];

const arbitraryRequest = fc
  .record({
    kind: fc.constantFrom(...COUNTER_KINDS),
    windowMs: fc.constantFrom(1_000, 60_000),
    limit: fc.nat(20),
    amount: fc.integer({ min: -3, max: 3 }),
    bestEffort: fc.boolean(),
    leaseMs: fc.nat(2),
    slot: fc.nat(),
  })
  .map(({ kind, windowMs, ...fields }) => ({ cell: "c", ...fields, ...selectorOf(kind, windowMs, NOW_MS) }));

const arbitraryCalls = fc.array(
  fc.record({
    requests: fc.array(arbitraryRequest, { maxLength: 3 }),
    deduplicationId: fc.constantFrom("", "id"),
  }),
  { maxLength: 40 },
);

describe("the encoding of calls for the Redis quota script", () => {
  it("names the shape, amount and slot of every request, and a key for each", () => {
    fc.assert(
      fc.property(arbitraryCalls, (calls) => {
        const { keys, args } = encodeCalls(calls, "p{quota}:");
        const batch = JSON.parse(args[0] as string) as { shapes: number[][]; calls: number[] };
        const numbers = batch.calls[Symbol.iterator]();
        const next = () => numbers.next().value as number;
        let keyCount = 0;
        for (const { requests, deduplicationId } of calls) {
          const hasId = deduplicationId === "id";
          assert.equal(next(), 2 * requests.length + (hasId ? 1 : 0));
          if (hasId) assert.equal(keys[keyCount++], "p{quota}:call:id");
          for (const { limit, windowMs, bestEffort, leaseMs, period, amount, slot } of requests) {
            const [, ...shape] = batch.shapes[next() - 1] as number[];
            assert.deepEqual(shape.slice(0, 4), [limit, windowMs, bestEffort ? 1 : 0, leaseMs]);
            assert.equal(shape[5], period?.periodStartMs);
            assert.equal(next(), amount);
            if (amount < 0) assert.equal(next(), slot);
            assert.match(keys[keyCount++] as string, /^p\{quota\}:[a-z-]+:[^:]+:c$/);
          }
        }
        assert.equal(numbers.next().done, true);
        assert.equal(keyCount, keys.length);
      }),
    );
  });
});

describe("the decoding of the Redis quota script's reply", () => {
  const call = { requests: [{}], deduplicationId: "" } as unknown as Parameters<
    typeof decodeReply
  >[1][number];
  const decoded = (elements: unknown) => decodeReply(Buffer.from(encode(elements)), [call, call]);

  it("reads grants, error texts and first answers, each in its call's place", () => {
    const grant = { granted: 1, remaining: 9, resetMs: 60_000, retryAfterMs: 0, validForMs: 0, slot: 7 };
    assert.deepEqual(decoded([5, ...GRANT, "FOREIGN x"]), {
      nowMs: 5,
      answers: [[grant], { error: "FOREIGN x" }],
    });
    assert.deepEqual(decoded([5, [...GRANT, ...GRANT], ...GRANT]).answers, [[grant, grant], [grant]]);
    assert.deepEqual(decoded([5, [], []]).answers, [[], []]);
  });

  it("refuses a reply of another form", () => {
    const wrong = [
      "OK",
      [],
      ["5", ...GRANT, ...GRANT],
      [5, ...GRANT],
      [5, ...GRANT, ...GRANT.slice(1)],
      [5, ...GRANT, ...GRANT, 1],
      [5, ...GRANT, [1]],
      [5, ...GRANT, { granted: 1 }],
      [5, ...GRANT, 1, 9, "60000", 0, 0, 7],
    ];
    for (const elements of wrong) assert.throws(() => decoded(elements), TypeError, JSON.stringify(elements));
    for (const reply of ["OK", [5, [...GRANT], [...GRANT]], null])
      assert.throws(() => decodeReply(reply, [call, call]), TypeError);
    assert.throws(() => decodeReply(Buffer.from([0xdc, 0xff]), [call]));
  });
});
