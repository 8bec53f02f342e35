// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";

import { grpcTimeoutMs } from "./grpc-timeout.ts";

describe("grpc-timeout", () => {
  it("is read in every unit, and rounded up to milliseconds", () => {
    const cases = ["2H", "3M", "4S", "5m", "1500u", "1n", "0S", "99999999H"];
    assert.deepEqual(
      cases.map((field) => grpcTimeoutMs(0, field)),
      [7_200_000, 180_000, 4_000, 5, 2, 1, 1, 99_999_999 * 3_600_000],
    );
  });

  it("is ignored when it is malformed or absent", () => {
    for (const field of [undefined, "", "5", "S", "-1S", "1.5S", "123456789S", "5s", "5S ", "5S, 6S"])
      assert.equal(grpcTimeoutMs(700, field), 700);
  });

  it("never exceeds the route's timeout", () => {
    const field = fc
      .tuple(fc.nat(99_999_999), fc.constantFrom("H", "M", "S", "m", "u", "n"))
      .map(([n, unit]) => `${n}${unit}`);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e7 }), field, (routeMs, text) => {
        const timeoutMs = grpcTimeoutMs(routeMs, text);
        assert.ok(timeoutMs >= 1 && timeoutMs <= routeMs && Number.isInteger(timeoutMs));
      }),
    );
  });
});
