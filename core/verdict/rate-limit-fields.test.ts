// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { serializeList } from "structured-headers";
import { standingOf } from "../quota/standing.ts";
import { rateLimitFields, retryAfterSeconds } from "./rate-limit-fields.ts";

const HOURLY = { policy: "hourly", limit: 100, windowMs: 3_600_000, remaining: 7, resetMs: 41_001 };

describe("RateLimit fields", () => {
  it("have a member for each quota, in whole seconds rounded up", () => {
    const burst = { policy: "shop/burst", limit: 5, windowMs: 500, remaining: 0, resetMs: 0 };
    assert.deepEqual(rateLimitFields([HOURLY, burst]), {
      policy: '"hourly";q=100;w=3600, "shop/burst";q=5;w=1',
      standing: '"hourly";r=7;t=42, "shop/burst";r=0;t=0',
    });
  });

  it("have no window for an allocation", () => {
    const seats = { policy: "seats", limit: 25, windowMs: 0, remaining: 3, resetMs: 9_000 };
    assert.deepEqual(rateLimitFields([seats]), { policy: '"seats";q=25', standing: '"seats";r=3;t=9' });
  });

  it("have the time of Retry-After for an exhausted quota", () => {
    const { standing } = rateLimitFields([HOURLY], { policy: "hourly", retryAfterS: 90 });
    assert.equal(standing, '"hourly";r=7;t=90');
  });

  it("can be parsed for any policy name and any limit", () => {
    const strange = { ...HOURLY, policy: 'é"\\', limit: 1e20, remaining: 1.5 };
    const fields = rateLimitFields([strange]);
    assert.equal(fields.policy, '"?\\"\\\\";q=999999999999999;w=3600');
    assert.equal(fields.standing, '"?\\"\\\\";r=1;t=42');
  });

  it("are what a general serializer of structured fields writes", () => {
    const name = fc.oneof(fc.string(), fc.constantFrom("shop/burst", '"', "\\", 'a";r=9', "", ", ", "é"));
    const limit = fc.oneof(fc.nat(), fc.double({ min: -5, max: 1e20, noNaN: true }));
    const quota = fc.record({ policy: name, limit, windowMs: limit, remaining: limit, resetMs: limit });
    const digits = (value: number) => Math.min(999_999_999_999_999, Math.max(0, Math.floor(value)));
    const seconds = (valueMs: number) => digits(Math.ceil(valueMs / 1000));
    fc.assert(
      fc.property(fc.array(quota, { maxLength: 4 }), fc.option(name), (quotas, exhausted) => {
        const list = (parameters: (one: (typeof quotas)[number]) => [string, number][]) =>
          serializeList(
            quotas.map((one) => [one.policy.replace(/[^\x20-\x7e]/g, "?"), new Map(parameters(one))]),
          );
        const fields = rateLimitFields(
          quotas,
          exhausted === null ? undefined : { policy: exhausted, retryAfterS: 77 },
        );
        assert.deepEqual(fields, {
          policy: list((one) => [
            ["q", digits(one.limit)],
            ...(one.windowMs === 0 ? [] : [["w", seconds(one.windowMs)] as [string, number]]),
          ]),
          standing: list((one) => [
            ["r", digits(one.remaining)],
            ["t", one.policy === exhausted ? 77 : seconds(one.resetMs)],
          ]),
        });
      }),
    );
  });

  it("never invite a retry at once", () => {
    assert.deepEqual([0, 1, 1_000, 1_001].map(retryAfterSeconds), [1, 1, 1, 2]);
  });

  it("never give a negative remainder", () => {
    const { policy, limit, windowMs } = HOURLY;
    assert.equal(standingOf({ policy, limit, windowMs }, { remaining: -1, resetMs: 5 }).remaining, 0);
  });
});
