// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import type { AttributeBag } from "../../../core/attributes/bag.ts";
import { signatureOf } from "../../../core/attributes/signature.ts";
import type { AttributeReference } from "../../../expressions/runtime/reads/reference.ts";
import { decision } from "../../../test/support/decisions.ts";
import { DecisionCache } from "./decision-cache.ts";

const exact = (...path: string[]): AttributeReference => ({ path, condition: "EXACT" });
const absence = (...path: string[]): AttributeReference => ({ path, condition: "ABSENCE" });

const SHAPES: readonly (readonly AttributeReference[])[] = [
  [exact("request", "headers", "x-user"), exact("source", "ip")],
  [exact("source", "ip"), absence("request", "headers", "x-user")],
  [exact("request", "url_path"), exact("request", "headers", "x-user"), exact("request", "port")],
  [exact("request", "headers"), exact("request", "url_path")],
];

describe("a decision cache", () => {
  it("finds what was stored for the same values, and nothing else, through any history", () => {
    const user = fc.constantFrom(
      undefined,
      "",
      "ann",
      "bob",
      "1:a",
      "a-user-with-a-long-name-1",
      "a-user-with-a-long-name-2",
    );
    const bag = fc
      .record({
        user,
        path: fc.constantFrom("/", "/a", "/reviews/of/a/product/with/a/long/name", "/x/2:ab"),
        port: fc.constantFrom(80, 443, "80", null, Number.NaN),
        repeated: fc.constantFrom(undefined, ["ann", "bob"], ["ann, bob"]),
      })
      .map(({ user: name, path, port, repeated }): AttributeBag => {
        const headers = name === undefined ? {} : { "x-user": name };
        // Copies, because a request's texts are never the same strings as those of an earlier request.
        const request = structuredClone({ url_path: path, port, headers });
        const lists = repeated === undefined ? {} : { repeated_headers: { "x-user": repeated } };
        return { source: { ip: "127.0.0.1" }, request: { ...request, ...lists } };
      });
    const step = fc.record({
      bag,
      shape: fc.nat(SHAPES.length - 1),
      act: fc.constantFrom("store", "find", "find", "find", "find", "wait", "clear"),
      uses: fc.constantFrom(1, 3, 1_000),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150, size: "max" }), fc.constantFrom(2, 100), (steps, max) => {
        const cache = new DecisionCache<string>({ maxDecisions: max, maxCharacters: 1e6, maxShapes: 4 });
        const stored = new Map<string, { value: string; untilMs: number; uses: number }>();
        const nameOf = (one: AttributeBag, shape: number): string | undefined => {
          const signature = signatureOf(one, SHAPES[shape] ?? []);
          return signature === undefined ? undefined : `${shape} ${signature}`;
        };
        let nowMs = 0;
        for (const [index, { bag: one, shape, act, uses }] of steps.entries()) {
          if (act === "wait") nowMs += 30;
          if (act === "clear" && uses === 1) {
            cache.clear();
            stored.clear();
          }
          if (act === "store") {
            const name = nameOf(one, shape);
            const made = decision({
              referenced: SHAPES[shape] ?? [],
              validDurationMs: 100,
              validUseCount: uses,
            });
            assert.equal(cache.store(one, made, nowMs, String(index)), name !== undefined);
            if (name !== undefined) stored.set(name, { value: String(index), untilMs: nowMs + 100, uses });
          }
          if (act !== "find") continue;
          const found = cache.find(one, nowMs);
          const fitting = SHAPES.map((_, candidate) => stored.get(nameOf(one, candidate) ?? "none"));
          const live = fitting.filter(
            (entry) => entry !== undefined && entry.uses > 0 && nowMs < entry.untilMs,
          );
          if (found === undefined) {
            // With few places, a decision may have been evicted.
            if (max === 100) assert.equal(live.length, 0);
            continue;
          }
          const entry = live.find((candidate) => candidate?.value === found);
          assert.ok(entry !== undefined, "a decision that holds for this request");
          entry.uses--;
        }
        assert.ok(cache.size <= max);
      }),
      { numRuns: 200 },
    );
  });
});
