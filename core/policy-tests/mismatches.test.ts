// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { charge } from "../../test/support/quota-charges.ts";
import type { Decision } from "../check/decision.ts";
import type { ReportItem } from "../report/report.ts";
import { bagAt, mergeBags } from "./bags.ts";
import { decisionMismatches, reportMismatches } from "./mismatches.ts";

const DECISION: Decision = {
  status: { code: "PERMISSION_DENIED", message: "no" },
  decidedBy: { kind: "AccessPolicy", name: "guests" },
  requestHeaders: [],
  responseHeaders: [
    { operation: "set", name: "x-a", value: "1" },
    { operation: "append", name: "x-b", value: "2" },
    { operation: "append", name: "x-b", value: "3" },
    { operation: "remove", name: "x-c" },
  ],
  validDurationMs: 0,
  validUseCount: 0,
  referenced: [],
  shadowDenials: [{ kind: "AccessPolicy", name: "shady" }],
  audits: [],
  charges: [],
};

describe("merged bags", () => {
  it("merge maps, replace other values, and remove nulls", () => {
    const merged = mergeBags([
      { a: { b: 1, c: [1, 2] }, d: "x" },
      { a: { c: [3] }, d: null, e: { f: { g: null } } },
      bagAt("a.h", true),
    ]);
    assert.deepEqual(merged, { a: { b: 1, c: [3], h: true }, e: { f: {} } });
  });

  it("may have attributes of any name", () => {
    const merged = mergeBags([JSON.parse('{"a": {"__proto__": "x"}}') as Record<string, unknown>]);
    assert.deepEqual(Object.keys(merged["a"] as object), ["__proto__"]);
  });
});

describe("expectations of a decision", () => {
  it("hold when every named field matches, in any spelling", () => {
    const expect = {
      decision: "deny",
      httpStatus: 403,
      message: "no",
      decidedBy: "guests",
      responseHeaders: { "X-A": "1", "x-b": ["2", "3"], "x-c": null },
      shadowDenials: ["shady"],
      audits: [],
      charges: [],
    } as const;
    assert.deepEqual(
      decisionMismatches({ ...expect, shadowDenials: ["shady"], audits: [], charges: [] } as never, DECISION),
      [],
    );
    assert.deepEqual(decisionMismatches({ decision: "PERMISSION_DENIED" }, DECISION), []);
  });

  it("report the expected and the actual value", () => {
    assert.deepEqual(decisionMismatches({ decision: "allow", decidedBy: null, audits: ["a"] }, DECISION), [
      { what: "decision", expected: '"allow"', got: '"PERMISSION_DENIED"' },
      { what: "decidedBy", expected: "null", got: '"guests"' },
      { what: "audits", expected: '["a"]', got: "[]" },
    ]);
    const [header] = decisionMismatches({ responseHeaders: { "x-gone": "1" } }, DECISION);
    assert.deepEqual(header, { what: "responseHeaders", expected: '{"x-gone":"1"}', got: "{}" });
  });

  it("need the exact number of charges", () => {
    const decision = { ...DECISION, charges: [charge("q", { limit: 3 })] };
    assert.deepEqual(decisionMismatches({ charges: [{ policy: "q", limit: 3 }] }, decision), []);
    assert.equal(decisionMismatches({ charges: [] }, decision).length, 1);
    assert.equal(decisionMismatches({ charges: [{ policy: "q", amount: 2 }] }, decision).length, 1);
  });
});

describe("expected telemetry", () => {
  const items: readonly ReportItem[] = [
    {
      template: "metric",
      handler: "h",
      instance: {
        name: "calls",
        type: "counter",
        value: 1,
        labels: { user: "ann", code: "200" },
        timestampMs: 0,
      },
    },
  ];
  const written = { name: "case" };

  it("matches a reported instance with at least the expected labels", () => {
    const metrics = [{ name: "calls", labels: { user: "ann" } }];
    assert.deepEqual(reportMismatches({ ...written, metrics }, items), []);
    const [other] = reportMismatches({ ...written, metrics: [{ name: "calls", value: 2 }] }, items);
    assert.deepEqual(other, {
      what: "metrics[0]",
      expected: '{"name":"calls","value":2}',
      got: '[{"name":"calls","value":1}]',
    });
  });

  it("must be absent when the list is empty", () => {
    assert.deepEqual(reportMismatches({ ...written, logs: [] }, items), []);
    assert.equal(reportMismatches({ ...written, metrics: [] }, items).length, 1);
  });
});
