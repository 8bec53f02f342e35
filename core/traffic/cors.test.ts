// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { StepBudget } from "../../kernel/matching/regex/meter.ts";
import { CompiledCors } from "./cors.ts";
import type { CorsPolicy, StringMatch } from "./resources/route.ts";

const policyOf = (allowOrigins: readonly StringMatch[], more: Partial<CorsPolicy> = {}): CorsPolicy => ({
  allowOrigins,
  allowMethods: [],
  allowHeaders: [],
  exposeHeaders: [],
  allowCredentials: false,
  forwardUnmatchedPreflights: true,
  ...more,
});

const exact = (value: string): StringMatch => ({ kind: "exact", value });

describe("a CORS policy", () => {
  it("compares origins as they are written", () => {
    const cors = new CompiledCors(
      policyOf([
        exact("https://shop.example.com"),
        exact("null"),
        { kind: "prefix", value: "http://localhost:" },
        { kind: "regex", value: "https://[a-z]+\\.example\\.org" },
      ]),
    );
    const cases: readonly (readonly [origin: string, allowed: boolean])[] = [
      ["https://shop.example.com", true],
      ["https://shop.example.com:443", false],
      ["https://shop.example.com/", false],
      ["http://shop.example.com", false],
      ["https://SHOP.example.com", false],
      ["https://shop.example.com.evil.net", false],
      ["null", true],
      ["http://localhost:8080", true],
      ["http://localhost", false],
      ["https://a.example.org", true],
      ["https://a.example.org.evil.net", false],
      ["https://a.example.org, https://b.example.org", false],
      ["*", false],
      ["", false],
    ];
    for (const [origin, allowed] of cases)
      assert.equal(cors.allowedOrigin(origin), allowed ? origin : undefined, origin);
  });

  it("says * for any origin, and then never allows credentials", () => {
    const cors = new CompiledCors(policyOf([exact("https://a"), exact("*")], { allowCredentials: true }));
    assert.equal(cors.allowedOrigin("https://anyone.example"), "*");
    assert.equal(cors.allowedOrigin("https://a"), "*");
    assert.equal(cors.allowCredentials, false);
    assert.equal(cors.variesByOrigin, false);
  });

  it("looks exact origins up, however many there are", () => {
    const origins = Array.from({ length: 10_000 }, (_, index) => exact(`https://site${index}.example`));
    const cors = new CompiledCors(policyOf(origins));
    const start = performance.now();
    for (let turn = 0; turn < 10_000; turn++) {
      assert.equal(cors.allowedOrigin(`https://site${turn}.example`), `https://site${turn}.example`);
      assert.equal(cors.allowedOrigin(`https://other${turn}.example`), undefined);
    }
    assert.ok(performance.now() - start < 1_000);
  });

  it("bounds the work of its expressions, and the length of an origin", () => {
    const budget = new StepBudget(1_000, () => new Error("too long"));
    const slow = { kind: "regex", value: "(\\w{1,30}\\s?){1,20}x" } as const;
    const cors = new CompiledCors(policyOf(Array.from({ length: 100 }, () => slow)), budget);
    assert.throws(() => cors.allowedOrigin("a".repeat(500)), /too long/);
    budget.start();
    assert.equal(cors.allowedOrigin("a".repeat(513)), undefined);
  });
});
