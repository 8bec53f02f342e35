// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import {
  computed,
  expression,
  logEntry,
  metric,
  rule,
  snapshotOf,
  traceSpan,
} from "../../test/support/snapshots.ts";
import type { AttributeBag } from "../attributes/bag.ts";
import { isPromise } from "../../kernel/maybe-promise.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import { planReports } from "./plan.ts";
import { evaluateReport, type ReportItem } from "./report.ts";

const AT = 1_700_000_000_000;
const faults: string[] = [];

function report(documents: Partial<Snapshot>, bag: AttributeBag = {}): readonly ReportItem[] {
  faults.length = 0;
  const items = evaluateReport(planReports(snapshotOf(documents)), bag, {
    timeMs: AT,
    onFault: ({ name }, { detail }) => void faults.push(`${name}: ${detail}`),
  });
  assert.ok(!isPromise(items));
  return items;
}

const throws = (): never => {
  throw new Error("boom");
};

describe("a report", () => {
  it("gives each handler of a metric an instance, labels as text and absent ones empty", () => {
    const document = metric("latency", {
      type: "histogram",
      value: computed(() => 1.5),
      labels: [
        ["code", computed(() => 200)],
        ["user", computed(() => undefined)],
        ["constructor", computed(() => ({ a: 1 }))],
      ],
      buckets: [1, 2],
      handlers: ["one", "two"],
    });
    const items = report({ metrics: [document] });
    assert.deepEqual(
      items.map(({ handler }) => handler),
      ["one", "two"],
    );
    const [first] = items;
    assert.ok(first?.template === "metric");
    assert.deepEqual(
      { ...first.instance, labels: { ...first.instance.labels } },
      {
        name: "latency",
        type: "histogram",
        buckets: [1, 2],
        value: 1.5,
        labels: { code: "200", user: "", constructor: '{"a":1}' },
        timestampMs: AT,
      },
    );
  });

  it("gives a metric the span of a request whose trace is sampled", () => {
    const request = { trace_id: "a".repeat(32), span_id: "b".repeat(16) };
    const exemplarOf = (more: AttributeBag): unknown => {
      const [item] = report({ metrics: [metric("m")] }, { request: { ...request, ...more } });
      return item?.template === "metric" ? item.instance.exemplar : undefined;
    };
    const span = { traceId: request.trace_id, spanId: request.span_id };
    const flagged = (flags: string) => ({
      headers: { traceparent: `00-${span.traceId}-${span.spanId}-${flags}` },
    });
    assert.deepEqual(exemplarOf({}), span);
    assert.deepEqual(exemplarOf(flagged("01")), span);
    assert.equal(exemplarOf(flagged("00")), undefined);
    for (const wrong of [
      { trace_id: "x".repeat(32) },
      { trace_id: "ab" },
      { span_id: "B".repeat(16) },
      { span_id: 1 },
    ])
      assert.equal(exemplarOf(wrong), undefined);
  });

  it("skips a metric without a value, and reports a fault for a value that is not a number", () => {
    assert.deepEqual(report({ metrics: [metric("m", { value: computed(() => undefined) })] }), []);
    assert.deepEqual(faults, []);
    for (const value of ["1", Number.POSITIVE_INFINITY, [1]]) {
      assert.deepEqual(report({ metrics: [metric("m", { value: computed(() => value) })] }), []);
      assert.equal(faults.length, 1);
    }
  });

  it("continues with the other documents when one fails", () => {
    const items = report({
      metrics: [metric("bad", { match: expression(throws) }), metric("good")],
      logEntries: [logEntry("worse", { variables: [["x", computed(throws)]] })],
    });
    assert.deepEqual(
      items.map(({ instance }) => instance.name),
      ["good"],
    );
    assert.deepEqual(faults, ["bad: boom", "worse: boom"]);
  });

  it("fills log entries: severity in any case, INFO for unknown ones, absent variables left out", () => {
    const severities = ["warning", "ERROR", "loud", undefined].map((severity, index) => {
      const variables = [
        ["a", computed(() => [1])],
        ["b", computed(() => undefined)],
      ] as const;
      const [item] = report({
        logEntries: [logEntry(`${index}`, { severity: expression(() => severity), variables })],
      });
      assert.ok(item?.template === "logentry");
      assert.deepEqual({ ...item.instance.variables }, { a: [1] });
      return item.instance.severity;
    });
    assert.deepEqual(severities, ["WARNING", "ERROR", "INFO", "INFO"]);
  });

  it("reports a span only for a request with a sampled trace", () => {
    const trace = { trace_id: "a".repeat(32), span_id: "b".repeat(16) };
    const traceparent = (flags: string) => ({
      headers: { traceparent: `00-${trace.trace_id}-${trace.span_id}-${flags}` },
    });
    const bag: AttributeBag = {
      request: { method: "GET", ...trace, ...traceparent("01") },
      response: { code: 503, duration: 20 },
      destination: { service: { name: "ratings" } },
      context: { reporter: { kind: "outbound" } },
    };
    const [item] = report({ traceSpans: [traceSpan("spans")] }, bag);
    assert.ok(item?.template === "tracespan");
    assert.deepEqual(
      { ...item.instance, tags: {} },
      {
        name: "spans",
        spanName: "GET ratings",
        traceId: trace.trace_id,
        spanId: trace.span_id,
        parentSpanId: undefined,
        clientSpan: true,
        startMs: AT - 20,
        endMs: AT,
        httpStatusCode: 503,
        tags: {},
      },
    );
    assert.deepEqual(report({ traceSpans: [traceSpan("spans")] }, {}), []);
    const unsampled = { request: { ...trace, ...traceparent("00") } };
    assert.deepEqual(report({ traceSpans: [traceSpan("spans")] }, unsampled), []);
  });

  it("fills a Rule's instance once and sends it to each of its handlers", () => {
    let filled = 0;
    const counted = computed(() => ++filled);
    const instance = {
      name: "bytes",
      template: "metric" as const,
      params: [
        ["value", counted],
        ["labels", [["code", computed(() => 200)]]],
      ] as const,
    };
    const document = rule("r", "", {
      variety: "report",
      actions: [
        { handler: "one", instances: [instance] },
        { handler: "two", instances: [instance] },
      ],
    });
    const items = report({ rules: [document] });
    assert.deepEqual(
      items.map(({ handler }) => handler),
      ["one", "two"],
    );
    assert.equal(filled, 1);
    const [first] = items;
    assert.ok(first?.template === "metric");
    assert.deepEqual({ ...first.instance.labels }, { code: "200" });
  });

  it("prevents expressions from writing to the bag", () => {
    const bag: AttributeBag = { request: { headers: { a: "1" } } };
    const writing = expression((seen) => {
      try {
        (seen["request"] as { headers: Record<string, string> }).headers["a"] = "2";
      } catch {
        // Throwing is acceptable too.
      }
      return true;
    });
    report({ metrics: [metric("m", { match: writing })] }, bag);
    assert.deepEqual(bag, { request: { headers: { a: "1" } } });
  });
});
