// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { randomHexSource } from "./random-hex.ts";
import { uuidSource } from "./random-uuid.ts";

/** Ids of several fills of the pool of random bytes, which has 64 KiB. */
const IDS = 20_000;

describe("random ids", () => {
  it("are UUIDs of version 4, all different", () => {
    const next = uuidSource();
    const ids = Array.from({ length: IDS }, next);
    for (const id of ids)
      assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.equal(new Set(ids).size, IDS);
    assert.notEqual(uuidSource()(), ids[0]);
  });

  it("are hex digits of the length that is asked for, all different", () => {
    const next = randomHexSource();
    const ids = Array.from({ length: IDS }, (_, turn) => next(turn % 3 === 0 ? 32 : 16));
    for (const [turn, id] of ids.entries())
      assert.match(id, turn % 3 === 0 ? /^[0-9a-f]{32}$/ : /^[0-9a-f]{16}$/);
    assert.equal(new Set(ids).size, IDS);
  });

  it("have each digit at each place equally often, but for the digits that say the version", () => {
    const next = uuidSource();
    const counts = Array.from({ length: 36 }, () => new Map<string, number>());
    for (let turn = 0; turn < IDS; turn++) {
      const id = next();
      for (const [place, known] of counts.entries()) {
        const digit = id.charAt(place);
        known.set(digit, (known.get(digit) ?? 0) + 1);
      }
    }
    for (const [place, known] of counts.entries()) {
      const digits = [8, 13, 18, 23, 14].includes(place) ? 1 : place === 19 ? 4 : 16;
      assert.equal(known.size, digits, `place ${place}`);
      // Eight standard deviations at most.
      const mean = IDS / digits;
      for (const count of known.values()) assert.ok(Math.abs(count - mean) <= 8 * Math.sqrt(mean));
    }
  });
});
