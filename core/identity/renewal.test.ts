// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { formatJoinToken, parseJoinToken } from "./join-token.ts";
import { renewalTimeMs, retryPauseMs } from "./renewal.ts";

const unit = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe("the renewal of certificates", () => {
  it("is due between 50 and 70 % of the lifetime", () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 1e10 }), unit, (issuedAtMs, lifetimeMs, random) => {
        const atMs = renewalTimeMs({ issuedAtMs, notAfterMs: issuedAtMs + lifetimeMs }, () => random);
        const share = (atMs - issuedAtMs) / lifetimeMs;
        assert.ok(share >= 0.499_999 && share <= 0.700_001, `${share}`);
      }),
    );
    assert.equal(
      renewalTimeMs({ issuedAtMs: 5, notAfterMs: 1 }, () => 0.9),
      5,
    );
  });

  it("is tried again so that tries fit into the time that is left", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000 }),
        fc.integer({ min: -1e9, max: 1e9 }),
        unit,
        (failures, leftMs, random) => {
          const pauseMs = retryPauseMs(failures, leftMs, () => random);
          assert.ok(pauseMs >= 100 && pauseMs <= 30_000, `${pauseMs}`);
          if (leftMs >= 800) assert.ok(pauseMs <= leftMs / 8);
        },
      ),
    );
  });
});

describe("join tokens", () => {
  const part = (letter: string) => letter.repeat(43);

  it("are the same after formatting and parsing", () => {
    const token = { secret: part("s"), rootPins: [part("a"), part("B")] };
    assert.deepEqual(parseJoinToken(`\n ${formatJoinToken(token)} \r\n`), token);
  });

  const malformed = [
    "",
    "purser-join",
    `purser-join.${part("s")}`,
    `purser-join.${part("s")}.`,
    `other.${part("s")}.${part("a")}`,
    `purser-join.${part("s").slice(1)}.${part("a")}`,
    `purser-join.${part("s")}.${part("a")}.${part("a")}.${part("a")}.${part("a")}.${part("a")}`,
    `purser-join.${part("s")}=.${part("a")}`,
    `purser-join.${part("ü")}.${part("a")}`,
  ];
  for (const text of malformed)
    it(`are not ${JSON.stringify(text.slice(0, 30))} of ${text.length} characters`, () =>
      assert.equal(parseJoinToken(text), undefined));
});
