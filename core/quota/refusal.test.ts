// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { charge, outcome } from "../../test/support/quota-charges.ts";
import type { QuotaCharge, QuotaOutcome } from "./quota-charge.ts";
import { refusalOf, refusalOfDelays } from "./refusal.ts";

type Asked = readonly [charge: Partial<QuotaCharge>, outcome: Partial<QuotaOutcome> | "none"];

const GRANTED: Partial<QuotaOutcome> = {};
/** A charge that was given back because another one was refused. */
const GIVEN_BACK: Partial<QuotaOutcome> = { granted: 0 };
const refused = (retryAfterMs: number): Partial<QuotaOutcome> => ({ granted: 0, retryAfterMs });
const failed = (applied: "allow" | "deny" | "local", granted: number): Partial<QuotaOutcome> => ({
  granted,
  retryAfterMs: granted === 0 ? 1_000 : 0,
  failure: { code: "PURSER_STORE_UNAVAILABLE", applied },
});

describe("the quota that refused a request", () => {
  const cases: readonly (readonly [what: string, asked: readonly Asked[], expected: unknown])[] = [
    ["is none where nothing was charged", [], undefined],
    ["is none where all are granted", [[{}, GRANTED]], undefined],
    ["is none for a charge of nothing", [[{ amount: 0 }, { granted: 0 }]], undefined],
    ["is never one in shadow mode", [[{ mode: "shadow" }, refused(5)]], undefined],
    [
      "is the first that has something to wait for",
      [
        [{}, GIVEN_BACK],
        [{}, refused(5)],
        [{}, refused(9)],
      ],
      { index: 1, retryAfterMs: 5 },
    ],
    [
      "is the first where none says how long to wait",
      [
        [{}, GRANTED],
        [{}, GIVEN_BACK],
        [{}, GIVEN_BACK],
      ],
      { index: 1, retryAfterMs: 0 },
    ],
    [
      "is one that was granted in part",
      [[{ amount: 3 }, { granted: 2, retryAfterMs: 7 }]],
      { index: 0, retryAfterMs: 7 },
    ],
    ["is one without an outcome", [[{}, "none"]], { index: 0, retryAfterMs: 0 }],
    [
      "is a failure where deny was applied",
      [[{}, failed("deny", 0)]],
      { index: 0, retryAfterMs: 1_000, failed: true },
    ],
    [
      "is no failure where the local share is used up",
      [[{}, failed("local", 0)]],
      { index: 0, retryAfterMs: 1_000 },
    ],
    [
      "is none where the failure allows",
      [
        [{}, failed("allow", 1)],
        [{}, failed("local", 1)],
      ],
      undefined,
    ],
    ["says whole milliseconds", [[{}, refused(0.25)]], { index: 0, retryAfterMs: 1 }],
  ];
  for (const [what, asked, expected] of cases) {
    it(what, () => {
      const charges = asked.map(([fields], index) => charge(`q${index}`, fields));
      const outcomes = asked.flatMap(([, fields], index) =>
        fields === "none" ? [] : [outcome(`q${index}`, fields)],
      );
      const refusal = refusalOf(charges, outcomes);
      const got = refusal && {
        index: charges.indexOf(refusal.charge),
        retryAfterMs: refusal.retryAfterMs,
        ...(refusal.failure === undefined ? {} : { failed: true }),
      };
      assert.deepEqual(got, expected);
    });
  }

  it("is the same where only the retry delays are known", () => {
    const delay = fc.oneof(fc.constant(0), fc.double({ min: 0.1, max: 1e6, noNaN: true }));
    fc.assert(
      fc.property(fc.array(delay, { maxLength: 5 }), (delays) => {
        fc.pre(delays.some((delayMs) => delayMs > 0));
        const charges = delays.map((_, index) => charge(`q${index}`, {}));
        const outcomes = delays.map((retryAfterMs, index) => outcome(`q${index}`, refused(retryAfterMs)));
        assert.deepEqual(refusalOfDelays(charges, delays), refusalOf(charges, outcomes));
      }),
    );
  });
});
