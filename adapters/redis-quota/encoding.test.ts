// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { COUNTER_KINDS, selectorOf } from "../../test/support/quota-countings.ts";
import { decodeReply, encodeCalls } from "./encoding.ts";
import { REPLY_ANSWER, REPLY_ERROR, REPLY_SHAPE } from "./reply-marks.ts";

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
    slot: fc.oneof(
      fc.constant(-1),
      fc.maxSafeNat().map((slot) => slot - 1),
    ),
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
        const batch = JSON.parse(args[0] as string) as { shapes: number[][]; again: number[] };
        const codes = Buffer.from(args[1] as string);
        let at = 0;
        const next = (): number => {
          const code = codes[at++] as number;
          return code < 64 ? code : code - 64 + 64 * next();
        };
        let keyCount = 0;
        for (const { requests, deduplicationId } of calls) {
          const hasId = deduplicationId === "id";
          if (hasId || requests.length !== 1)
            assert.deepEqual([next(), next()], [0, 2 * requests.length + (hasId ? 1 : 0)]);
          if (hasId) assert.equal(keys[keyCount++], "p{quota}:call:id");
          for (const { limit, windowMs, bestEffort, leaseMs, period, amount, slot } of requests) {
            const form = next();
            const [, ...shape] = batch.shapes[Math.floor(form / 2) - 1] as number[];
            assert.deepEqual(shape.slice(0, 4), [limit, windowMs, bestEffort ? 1 : 0, leaseMs]);
            assert.equal(shape[5], period?.periodStartMs);
            assert.equal(form % 2, amount < 0 ? 1 : 0);
            assert.equal(next(), Math.abs(amount));
            if (amount < 0) assert.equal(next(), slot + 1);
            assert.match(keys[keyCount++] as string, /^p\{quota\}:[a-z-]+:[^:]+:c$/);
          }
        }
        assert.equal(at, codes.length);
        assert.equal(keyCount, keys.length);
        const isRepeated = (key: string, index: number): boolean =>
          keys.indexOf(key) !== index || keys.includes(key, index + 1);
        assert.deepEqual(
          batch.again.toSorted((a, b) => a - b),
          keys.flatMap((key, index) => (isRepeated(key, index) ? [index + 1] : [])),
        );
      }),
    );
  });
});

describe("the decoding of the Redis quota script's reply", () => {
  const call = { requests: [{}], deduplicationId: "" } as unknown as Parameters<
    typeof decodeReply
  >[1][number];
  const reply = (numbers: readonly number[], ...errors: readonly string[]) => [
    Buffer.from(new Float64Array(numbers).buffer),
    ...errors.map((error) => Buffer.from(error)),
  ];

  it("reads grants, error texts and first answers, each in its call's place", () => {
    const grant = { granted: 1, remaining: 9, resetMs: 60_000, retryAfterMs: 0, validForMs: 0, slot: 7 };
    assert.deepEqual(decodeReply(reply([5, ...GRANT, REPLY_ERROR], "FOREIGN x"), [call, call]), {
      nowMs: 5,
      answers: [[grant], { error: "FOREIGN x" }],
    });
    assert.deepEqual(decodeReply(reply([5, REPLY_ERROR, REPLY_ERROR], "a", "b"), [call, call]).answers, [
      { error: "a" },
      { error: "b" },
    ]);
    const repeated = reply([5, REPLY_ANSWER, 12, ...GRANT, ...GRANT, ...GRANT]);
    assert.deepEqual(decodeReply(repeated, [call, call]).answers, [[grant, grant], [grant]]);
    const empty = { ...call, requests: [] };
    assert.deepEqual(decodeReply(reply([5, REPLY_ANSWER, 0, ...GRANT]), [empty, call]).answers, [
      [],
      [grant],
    ]);
  });

  it("reads grants in place, with the numbers that the shape's calls share", () => {
    const of = (algorithm: string, amount: number) =>
      ({ ...call, requests: [{ algorithm, amount }] }) as never;
    const calls = [
      of("fixed-window", 2),
      of("fixed-window", 3),
      of("token-bucket", 1),
      of("fixed-window", -1),
    ];
    const numbers = [5, REPLY_SHAPE, 60, 40, 7, -1 - 9, -1, REPLY_SHAPE, 0, 30, 0, -1 - 4, 80, 6];
    const full = { retryAfterMs: 0 };
    assert.deepEqual(decodeReply(reply([...numbers, -1, 1, 0, 0, 0, 7]), calls).answers, [
      [{ ...full, granted: 2, remaining: 9, resetMs: 60, validForMs: 40, slot: 7 }],
      [{ ...full, granted: 3, remaining: 0, resetMs: 60, validForMs: 40, slot: 7 }],
      [{ ...full, granted: 1, remaining: 4, resetMs: 80, validForMs: 30, slot: 6 }],
      [{ ...full, granted: -1, remaining: 1, resetMs: 0, validForMs: 0, slot: 7 }],
    ]);
  });

  it("reads a reply at an address that is no multiple of a double's length", () => {
    const [packed] = reply([5, ...GRANT]) as [Buffer];
    const shifted = Buffer.concat([Buffer.from("x"), packed]).subarray(1);
    assert.deepEqual(decodeReply([shifted], [call]), decodeReply([packed], [call]));
  });

  it("refuses a reply of another form", () => {
    const wrong = [
      "OK",
      null,
      [],
      reply([5, ...GRANT, ...GRANT])[0],
      [5, [...GRANT], [...GRANT]],
      reply([]),
      reply([5, ...GRANT]),
      reply([5, ...GRANT, ...GRANT.slice(1)]),
      reply([5, ...GRANT, ...GRANT, 1]),
      reply([5, ...GRANT, ...GRANT], "an error without a mark"),
      reply([5, ...GRANT, REPLY_ERROR]),
      reply([5, ...GRANT, REPLY_ERROR + 4], "an unknown mark"),
      reply([5, ...GRANT, REPLY_ANSWER]),
      reply([5, ...GRANT, REPLY_ANSWER, 1e9, ...GRANT]),
      reply([5, ...GRANT, REPLY_ANSWER, 7, ...GRANT, 1]),
      reply([5, ...GRANT, REPLY_ANSWER, 0.5, ...GRANT]),
      reply([5, ...GRANT, Number.NaN, ...GRANT.slice(1)]),
      reply([5, ...GRANT, ...GRANT.slice(0, 5), Number.POSITIVE_INFINITY]),
      [reply([5, ...GRANT, ...GRANT])[0]?.subarray(0, -1)],
    ];
    for (const one of wrong) assert.throws(() => decodeReply(one, [call, call]), TypeError);
  });
});
