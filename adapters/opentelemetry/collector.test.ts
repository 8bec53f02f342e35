// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { AdapterHandler } from "../../plugins/sdk/index.ts";
import {
  createRealTime,
  createTestContext,
  logEntryInstance,
  metricInstance,
  traceSpanInstance,
} from "../../plugins/sdk/testing/index.ts";
import {
  type Collector,
  COLLECTOR_BUILD_MS,
  type OtlpRequest,
  startCollector,
} from "../../test/support/collector.ts";
import { eventually } from "../../test/support/eventually.ts";
import { PROTOCOLS } from "./config.ts";
import { opentelemetry } from "./index.ts";

/** Part of a decoded request, which the tests walk by key and position. */
interface Json {
  readonly [key: string]: Json;
}

/** Attributes as an object; OTLP/JSON has a list of keys and tagged values. */
function attributesIn(list: Json | undefined): Record<string, unknown> {
  const entries = (list ?? []) as unknown as { key: string; value: Record<string, unknown> }[];
  return Object.fromEntries(entries.map(({ key, value }) => [key, value]));
}

describe("the adapter opentelemetry with an OpenTelemetry Collector", () => {
  let collector: Collector;
  const call = { signal: new AbortController().signal };

  before(async function () {
    this.timeout(COLLECTOR_BUILD_MS + 60_000);
    collector = await startCollector(this);
  });

  after(() => collector?.stop());

  /** Runs `use` with a handler, closes it, and returns the requests that arrived. */
  async function requestsOf(
    config: Readonly<Record<string, unknown>>,
    use: (handler: AdapterHandler) => unknown,
  ): Promise<readonly OtlpRequest[]> {
    const from = collector.received.length;
    const time = createRealTime();
    const endpoint = config["protocol"] === "grpc" ? collector.grpcUrl : collector.httpUrl;
    const context = createTestContext(opentelemetry, { endpoint, ...config }, { time });
    const handler = opentelemetry.build(context);
    try {
      assert.equal(await use(handler), undefined);
    } finally {
      await handler.close();
      await context.http.close();
    }
    assert.deepEqual(
      context.logger.lines.map(({ message, fields }) => `${message} ${JSON.stringify(fields)}`),
      [],
    );
    await eventually(async () => assert.ok(collector.received.length > from));
    return collector.received.slice(from);
  }

  for (const protocol of PROTOCOLS)
    for (const compression of ["gzip", "none"]) {
      const config = { protocol, compression, resource: { "service.name": "bookshop", café: "é" } };

      it(`sends spans by ${protocol}, compression ${compression}`, async () => {
        const spans = [
          traceSpanInstance({
            parentSpanId: "00f067aa0ba902b7",
            httpStatusCode: 503,
            startMs: 1_790_000_000_123.456,
            endMs: 1_790_000_000_124.5,
            tags: { "url.path": "/Zoë/🛳️", retried: true, share: 0.5, big: 2 ** 60, list: ["a", "b"] },
          }),
          traceSpanInstance({ clientSpan: true, httpStatusCode: 404, spanName: "x".repeat(10_000) }),
        ];
        const [request] = (await requestsOf(config, (handler) =>
          handler.tracespan?.(spans, call),
        )) as unknown as [Json];
        const resourceSpans = request["resourceSpans"]?.[0] as Json;
        const resource = attributesIn(resourceSpans["resource"]?.["attributes"] as Json);
        assert.deepEqual(resource["service.name"], { stringValue: "bookshop" });
        assert.deepEqual(resource["café"], { stringValue: "é" });
        assert.match(
          (resource["service.instance.id"] as { stringValue: string }).stringValue,
          /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
        );
        const spansIn = resourceSpans["scopeSpans"]?.[0]?.["spans"];
        const [server, client] = spansIn as unknown as [Json, Json];
        assert.equal(server["traceId"], "0af7651916cd43dd8448eb211c80319c");
        assert.equal(server["spanId"], "b7ad6b7169203331");
        assert.equal(server["parentSpanId"], "00f067aa0ba902b7");
        assert.equal(server["startTimeUnixNano"], "1790000000123456000");
        assert.equal(server["endTimeUnixNano"], "1790000000124500000");
        assert.deepEqual([server["kind"], client["kind"]], [2, 3]);
        assert.deepEqual([server["status"]?.["code"], client["status"]?.["code"]], [2, 2]);
        assert.deepEqual(attributesIn(server["attributes"] as Json), {
          "url.path": { stringValue: "/Zoë/🛳️" },
          retried: { boolValue: true },
          share: { doubleValue: 0.5 },
          big: { stringValue: String(2 ** 60) },
          list: { arrayValue: { values: [{ stringValue: "a" }, { stringValue: "b" }] } },
          "http.response.status_code": { intValue: "503" },
        });
        assert.equal((client["name"] as unknown as string).length, 10_000);
      });

      it(`sends log records by ${protocol}, compression ${compression}`, async () => {
        const traceId = "0af7651916cd43dd8448eb211c80319c";
        const entries = [
          logEntryInstance({
            severity: "ERROR",
            variables: {
              message: "no such book",
              trace_id: traceId,
              span_id: "b7ad6b7169203331",
              code: 404,
              half: "\ud800",
              nested: { a: [1, { b: null }], "": 1 },
              odd: Number.NaN,
            },
          }),
          logEntryInstance({ severity: "WARNING", variables: {}, timestampMs: Number.NaN }),
        ];
        const [request] = (await requestsOf(config, (handler) =>
          handler.logentry?.(entries, call),
        )) as unknown as [Json];
        const records = request["resourceLogs"]?.[0]?.["scopeLogs"]?.[0]?.["logRecords"];
        const [first, second] = records as unknown as [Json, Json];
        assert.deepEqual(first["body"], { stringValue: "no such book" });
        assert.equal(first["severityNumber"], 17);
        assert.equal(first["severityText"], "ERROR");
        assert.equal(first["eventName"], "access-log");
        assert.equal(first["traceId"], traceId);
        assert.equal(first["spanId"], "b7ad6b7169203331");
        const attributes = attributesIn(first["attributes"] as Json);
        assert.deepEqual(Object.keys(attributes).sort(), ["code", "half", "nested", "odd"]);
        assert.deepEqual(attributes["half"], { stringValue: "\ufffd" });
        assert.deepEqual(attributes["odd"], { stringValue: "NaN" });
        assert.deepEqual(second["body"], { stringValue: "access-log" });
        assert.equal(second["severityNumber"], 13);
        assert.equal(second["timeUnixNano"], undefined);
      });

      it(`pushes metrics by ${protocol}, compression ${compression}`, async () => {
        const requests = (await requestsOf(config, (handler) =>
          handler.metric?.(
            [
              metricInstance({ value: 2, labels: { path: "/é" }, unit: "1", help: "Requests." }),
              metricInstance({ value: 3, labels: { path: "/é" }, unit: "1", help: "Requests." }),
              metricInstance({ name: "depth", type: "gauge", value: -1.5, labels: {} }),
              metricInstance({ name: "latency", type: "histogram", value: 7, labels: {}, buckets: [5, 10] }),
            ],
            call,
          ),
        )) as unknown as readonly [Json];
        assert.equal(requests.length, 1);
        const metrics = requests[0]["resourceMetrics"]?.[0]?.["scopeMetrics"]?.[0]?.["metrics"];
        const [counter, gauge, histogram] = metrics as unknown as [Json, Json, Json];
        assert.equal(counter["name"], "requests_total");
        assert.equal(counter["description"], "Requests.");
        assert.equal(counter["sum"]?.["isMonotonic"], true);
        assert.equal(counter["sum"]?.["aggregationTemporality"], 2);
        const point = counter["sum"]?.["dataPoints"]?.[0] as Json;
        assert.equal(point["asDouble"], 5);
        assert.deepEqual(attributesIn(point["attributes"] as Json), { path: { stringValue: "/é" } });
        assert.ok(
          BigInt(point["startTimeUnixNano"] as unknown as string) <=
            BigInt(point["timeUnixNano"] as unknown as string),
        );
        assert.equal(gauge["gauge"]?.["dataPoints"]?.[0]?.["asDouble"], -1.5);
        const buckets = histogram["histogram"]?.["dataPoints"]?.[0] as Json;
        assert.deepEqual(buckets["bucketCounts"], ["0", "1", "0"]);
        assert.deepEqual(buckets["explicitBounds"], [5, 10]);
        assert.equal(buckets["count"], "1");
        assert.equal(buckets["sum"], 7);
      });
    }

  for (const protocol of PROTOCOLS)
    it(`pushes exemplars of counters and of both kinds of histograms by ${protocol}`, async () => {
      const traceIdOf = (digit: string) => digit.repeat(32);
      const exemplarOf = (digit: string) => ({ traceId: traceIdOf(digit), spanId: digit.repeat(16) });
      const latency = { name: "latency", type: "histogram", labels: {}, buckets: [5, 10] } as const;
      const instances = [
        metricInstance({ value: 2, exemplar: exemplarOf("a"), timestampMs: 1_790_000_000_123.456 }),
        metricInstance({ name: "depth", type: "gauge", labels: {}, exemplar: exemplarOf("b") }),
        metricInstance({ ...latency, value: 7, exemplar: exemplarOf("c") }),
        metricInstance({ ...latency, value: 70, exemplar: exemplarOf("d") }),
        // Without an exemplar, after points that have some.
        metricInstance({ ...latency, name: "other" }),
      ];
      for (const kind of ["explicit", "exponential"]) {
        const requests = (await requestsOf({ protocol, histogram: { kind } }, (handler) =>
          handler.metric?.(instances, call),
        )) as unknown as readonly [Json];
        const metrics = requests[0]["resourceMetrics"]?.[0]?.["scopeMetrics"]?.[0]?.["metrics"];
        const form = kind === "explicit" ? "histogram" : "exponentialHistogram";
        const points = [...(metrics as unknown as Iterable<Json>)].map(
          (metric) => (metric["sum"] ?? metric["gauge"] ?? metric[form])?.["dataPoints"]?.[0] as Json,
        );
        assert.deepEqual(
          points.map((point) =>
            [...((point["exemplars"] ?? []) as Iterable<Json>)].map(({ traceId, spanId, asDouble }) => [
              traceId,
              spanId,
              asDouble,
            ]),
          ),
          [
            [[traceIdOf("a"), "a".repeat(16), 2]],
            [],
            [
              [traceIdOf("c"), "c".repeat(16), 7],
              [traceIdOf("d"), "d".repeat(16), 70],
            ],
            [],
          ],
          kind,
        );
        const [counter] = points as unknown as [Json];
        assert.equal(counter["exemplars"]?.[0]?.["timeUnixNano"], "1790000000123456000");
        assert.deepEqual([counter["asDouble"], points[2]?.["count"]], [2, "2"]);
      }
    });

  it("pushes exponential histograms", async () => {
    const config = { histogram: { kind: "exponential" } };
    const values = [0, 1, 1.5, 4, -2];
    const requests = (await requestsOf(config, (handler) =>
      handler.metric?.(
        values.map((value) => metricInstance({ name: "size", type: "histogram", value, labels: {} })),
        call,
      ),
    )) as unknown as readonly [Json];
    const metric = requests[0]["resourceMetrics"]?.[0]?.["scopeMetrics"]?.[0]?.["metrics"]?.[0] as Json;
    const point = metric["exponentialHistogram"]?.["dataPoints"]?.[0] as Json;
    assert.equal(point["count"], "5");
    assert.equal(point["sum"], 4.5);
    assert.equal(point["zeroCount"], "1");
    const scale = point["scale"] as unknown as number;
    const { offset, bucketCounts } = point["positive"] as unknown as {
      offset: number;
      bucketCounts: string[];
    };
    const upper = bucketCounts.flatMap((count, position) =>
      count === "0" ? [] : [2 ** ((offset + position + 1) / 2 ** scale)],
    );
    assert.equal(upper.length, 3);
    for (const [index, value] of [1, 1.5, 4].entries())
      assert.ok((upper[index] as number) >= value && (upper[index] as number) < value * 1.02, String(upper));
  });

  it("sends 10,000 series in requests of 1,000 points", async () => {
    const instances = Array.from({ length: 10_000 }, (_, index) =>
      metricInstance({ labels: { user: `user-${index}` } }),
    );
    const requests = await requestsOf({ protocol: "grpc" }, (handler) => handler.metric?.(instances, call));
    await eventually(async () => assert.ok(requests.length >= 1));
    assert.equal(requests.length, 10);
  });

  it("says that a receiver of another signal's path refuses for good", async () => {
    const context = createTestContext(
      opentelemetry,
      { endpoints: { traces: `${collector.httpUrl}/v1/nothing` } },
      { time: createRealTime() },
    );
    const handler = opentelemetry.build(context);
    await assert.rejects(async () => await handler.tracespan?.([traceSpanInstance()], call), {
      code: "PURSER_HANDLER_FAILED",
      retryable: false,
      message: /the server answered 404/,
    });
    await handler.close();
    await context.http.close();
  });
});
