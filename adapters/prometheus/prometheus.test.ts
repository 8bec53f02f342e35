// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { AdapterHandler, MetricInstance } from "../../plugins/sdk/index.ts";
import {
  createTestContext,
  describeAdapterContract,
  expositionText,
  metricInstance,
  type TestContext,
} from "../../plugins/sdk/testing/index.ts";
import { prometheus } from "./index.ts";

describeAdapterContract(prometheus);

interface Reporter {
  readonly context: TestContext<unknown>;
  readonly handler: AdapterHandler;
  readonly report: (...instances: readonly Partial<MetricInstance>[]) => void;
  /** Lines of the exposition whose series names begin with a prefix, without comments. */
  readonly series: (prefix: string) => Promise<string[]>;
  readonly text: () => Promise<string>;
}

function build(config: Record<string, unknown> = {}, handler = "prometheus"): Reporter {
  const context = createTestContext(prometheus, config, { handler });
  const built = prometheus.build(context);
  const text = (): Promise<string> => expositionText(built);
  return {
    context,
    handler: built,
    report: (...instances) =>
      void built.metric?.(instances.map(metricInstance), { signal: new AbortController().signal }),
    text,
    series: async (prefix) => (await text()).split("\n").filter((line) => line.startsWith(prefix)),
  };
}

describe("the adapter prometheus", () => {
  it("adds up a counter for each set of labels, in the document's order of labels", async () => {
    const { report, text } = build();
    report({ help: "Requests." }, { help: "Requests.", value: 2 });
    report({ help: "Requests.", labels: { source: "a", destination: "b", code: "503" } });
    const lines = (await text()).split("\n").slice(-5);
    assert.deepEqual(lines, [
      "# HELP requests_total Requests.",
      "# TYPE requests_total counter",
      'requests_total{source="storefront",destination="reviews",code="200"} 3',
      'requests_total{source="a",destination="b",code="503"} 1',
      "",
    ]);
  });

  it("keeps the last value of a gauge, including negative values", async () => {
    const { report, series } = build();
    report(
      { name: "open", type: "gauge", value: 7, labels: {} },
      { name: "open", type: "gauge", value: -2, labels: {} },
    );
    assert.deepEqual(await series("open"), ["open -2"]);
  });

  it("counts a histogram into the buckets of its document", async () => {
    const { report, series } = build();
    const size = { name: "size", type: "histogram", buckets: [10, 100], labels: { code: "200" } } as const;
    report({ ...size, value: 5 }, { ...size, value: 50 }, { ...size, value: 500 });
    assert.deepEqual(await series("size"), [
      'size_bucket{le="10.0",code="200"} 1',
      'size_bucket{le="100.0",code="200"} 2',
      'size_bucket{le="+Inf",code="200"} 3',
      'size_sum{code="200"} 555',
      'size_count{code="200"} 3',
    ]);
  });

  it("chooses buckets by the unit when the document has none", async () => {
    for (const [unit, bound] of [
      ["ms", "2500.0"],
      ["bytes", "65536.0"],
      ["s", "0.005"],
    ] as const) {
      const { report, text } = build();
      report({ name: "size", type: "histogram", unit, labels: {} });
      assert.ok((await text()).includes(`size_bucket{le="${bound}"}`), unit);
    }
  });

  it("writes names in Prometheus' form, keeps colliding names apart, and avoids reserved names", async () => {
    const { report, series } = build({ prefix: "mesh_" });
    report({ name: "a/b.c-d", labels: { "request.path": "/", request_path: "x", __name__: "n", "9": "d" } });
    report({ name: "a.b.c.d", labels: {} });
    report({ name: "size", type: "histogram", buckets: [1], labels: { le: "x" } });
    assert.deepEqual(await series("mesh_a_b_c_d"), [
      'mesh_a_b_c_d{_9="d",request_path="/",request_path_2="x",exported___name__="n"} 1',
      "mesh_a_b_c_d_2 1",
    ]);
    assert.match((await series("mesh_size_count"))[0] ?? "", /exported_le="x"/);
    const own = build();
    own.report({ name: "purser_prometheus_overflow_total", labels: {} });
    assert.deepEqual(await own.series("purser_prometheus_overflow_total"), [
      "purser_prometheus_overflow_total_2 1",
    ]);
  });

  it("escapes label values from clients, and cuts long ones", async () => {
    const { report, series } = build();
    report({ labels: { path: 'a"b\\c\nd' } }, { labels: { path: "x".repeat(100_000) } });
    const [first, second] = await series("requests_total");
    assert.equal(first, 'requests_total{path="a\\"b\\\\c\\nd"} 1');
    assert.ok((second?.length ?? 0) < 1100, "a label of a hundred thousand characters was kept whole");
  });

  it("counts label sets beyond maxSeries in one overflow series, and counts the overflow", async () => {
    const { report, series } = build({ maxSeries: 3 });
    for (let user = 0; user < 10; user++) report({ labels: { user: `u${user}`, code: "200" } });
    report({ labels: { user: "u1", code: "200" } });
    assert.deepEqual(await series("requests_total"), [
      'requests_total{user="u0",code="200"} 1',
      'requests_total{user="u1",code="200"} 2',
      'requests_total{user="u2",code="200"} 1',
      'requests_total{user="_overflow",code="_overflow"} 7',
    ]);
    assert.deepEqual(await series("purser_prometheus_overflow_total"), [
      'purser_prometheus_overflow_total{handler="prometheus",metric="requests_total"} 7',
    ]);
  });

  it("warns once of a metric that has reached maxSeries, by its name", () => {
    const { report, context } = build({ maxSeries: 1 });
    for (const user of ["a", "b", "c"])
      report({ labels: { user } }, { name: "other_total", labels: { user } });
    const warnings = context.logger.lines.filter(({ level }) => level === "warn");
    assert.deepEqual(
      warnings.map(({ fields }) => fields),
      ["requests_total", "other_total"].map((metric) => ({ metric, maxSeries: 1 })),
    );
  });

  it("holds bounded memory for a million label values, and counts the rest in the overflow series", async function () {
    this.timeout(60_000);
    const { report, series, context } = build();
    const heap = (): number => {
      setFlagsFromString("--expose-gc");
      (runInNewContext("gc") as () => void)();
      // V8 refuses code caches that were made with other flags.
      setFlagsFromString("--no-expose-gc");
      return process.memoryUsage().heapUsed / 1_048_576;
    };
    for (let user = 0; user < 20_000; user++)
      report({ labels: { user: `user ${user} of many`, code: "200" } });
    const before = heap();
    for (let user = 20_000; user < 1_000_000; user++)
      report({ labels: { user: `user ${user} of many`, code: "200" } });
    // Kept label sets would take 300 MiB.
    assert.ok(heap() - before < 10, `${heap() - before} MiB more`);
    const lines = await series("requests_total{");
    assert.equal(lines.length, 10_001);
    assert.equal(lines.at(-1), 'requests_total{user="_overflow",code="_overflow"} 990000');
    assert.equal(context.logger.lines.filter(({ level }) => level === "warn").length, 1);
  });

  it("writes exemplars of sampled requests in OpenMetrics, at most one a second for each bucket", async () => {
    const { report, handler, text } = build({ createdSamples: true });
    const ids = (digit: string) => ({ traceId: digit.repeat(32), spanId: digit.repeat(16) });
    const size = { name: "size", type: "histogram", buckets: [10], labels: {} } as const;
    report({ exemplar: ids("a"), timestampMs: 1_500, labels: { code: "200" } });
    report({ exemplar: ids("b"), timestampMs: 2_499, labels: { code: "200" } });
    report({ ...size, value: 5, exemplar: ids("c"), timestampMs: 1_000 });
    report({ ...size, value: 5, exemplar: ids("d"), timestampMs: 2_000 }, { ...size, value: 50 });
    report({ name: "open", type: "gauge", labels: {}, exemplar: ids("e") });
    const lines = (await expositionText(handler, "openmetrics")).split("\n");
    const exemplar = (digit: string) => `# {trace_id="${digit.repeat(32)}",span_id="${digit.repeat(16)}"}`;
    assert.deepEqual(lines.slice(lines.indexOf("# TYPE requests counter")), [
      "# TYPE requests counter",
      `requests_total{code="200"} 2 ${exemplar("a")} 1 1.5`,
      'requests_created{code="200"} 1767225600',
      "# HELP size Reported by the Metric document size.",
      "# TYPE size histogram",
      `size_bucket{le="10.0"} 2 ${exemplar("d")} 5 2`,
      'size_bucket{le="+Inf"} 3',
      "size_sum 60",
      "size_count 3",
      "size_created 1767225600",
      "# HELP open Reported by the Metric document open.",
      "# TYPE open gauge",
      "open 1",
      "# EOF",
      "",
    ]);
    assert.doesNotMatch(await text(), /trace_id|_created/);
    const without = build({ exemplars: false });
    without.report({ exemplar: ids("a") });
    assert.doesNotMatch(await expositionText(without.handler, "openmetrics"), /trace_id/);
  });

  it("refuses a prefix of the program's own names, and an expiry of nothing", () => {
    for (const config of [{ prefix: "purser_mixer_" }, { expireAfter: "0s" }])
      assert.equal(prometheus.check?.({ prefix: "", ...config } as never).length, 1);
  });

  it("keeps label sets apart whose joined texts are equal", async () => {
    const { report, series } = build();
    report({ labels: { a: "1:x", b: "" } }, { labels: { a: "1", b: "x" } }, { labels: { a: "", b: "1:x" } });
    assert.equal((await series("requests_total")).length, 3);
  });

  it("drops and counts observations that Prometheus cannot represent", async () => {
    const { report, series } = build();
    report({ value: -1 }, { value: Number.NaN }, { value: Number.POSITIVE_INFINITY }, { value: 1 });
    assert.equal((await series("requests_total"))[0]?.endsWith(" 1"), true);
    assert.deepEqual(await series("purser_prometheus_dropped_total"), [
      'purser_prometheus_dropped_total{handler="prometheus",metric="requests_total",reason="negative"} 1',
      'purser_prometheus_dropped_total{handler="prometheus",metric="requests_total",reason="not_finite"} 2',
    ]);
  });

  it("resets a metric whose document changed, and no other", async () => {
    const { report, series } = build();
    const other = { name: "other_total", labels: {} };
    report({ value: 5 }, { ...other, value: 5 });
    const changes: readonly Partial<MetricInstance>[] = [
      { labels: { source: "x" } },
      { labels: { source: "x" }, type: "gauge" },
      { labels: { source: "x" }, type: "histogram", buckets: [1, 2] },
      { labels: { source: "x" }, type: "histogram", buckets: [1, 3] },
      { labels: { source: "x" }, type: "histogram", unit: "ms" },
      { labels: { source: "x" }, type: "histogram", unit: "s" },
      { labels: { source: "x" }, help: "Now with help." },
    ];
    for (const change of changes) {
      report(change, other);
      assert.equal((await series("requests_total{")).length <= 1, true);
      if (change.type !== "histogram") continue;
      assert.deepEqual(await series("requests_total_count"), ['requests_total_count{source="x"} 1']);
    }
    assert.deepEqual(await series("requests_total"), ['requests_total{source="x"} 1']);
    assert.deepEqual(await series("other_total"), ["other_total 12"]);
  });

  it("removes series that were idle for expireAfter, and metrics without series", async () => {
    const { context, report, series, text } = build({ expireAfter: "10m", maxSeries: 2 });
    for (const user of ["a", "b", "c"]) report({ labels: { user } });
    context.time.advance(9 * 60_000);
    report({ labels: { user: "b" } });
    context.time.advance(60_000);
    assert.deepEqual(await series("requests_total"), ['requests_total{user="b"} 2']);
    report({ labels: { user: "d" } });
    assert.equal((await series("requests_total")).length, 2);
    context.time.advance(600_000);
    assert.doesNotMatch(await text(), /requests_total\b.*requests_total\{/s);
    assert.deepEqual(await series("# TYPE requests_total"), []);
  });

  it("never removes series by default", async () => {
    const { context, report, series } = build();
    report({});
    context.time.advance(30 * 86_400_000);
    assert.equal((await series("requests_total")).length, 1);
  });

  it("keeps two handlers with equal configuration apart, including their self-metrics", async () => {
    const [first, second] = [build({}, "one"), build({}, "two")];
    first.report({ value: -1 }, {});
    assert.deepEqual(await second.series("requests_total"), []);
    assert.deepEqual(await second.series("purser_prometheus_dropped_total"), []);
    assert.match((await first.series("purser_prometheus_dropped_total"))[0] ?? "", /handler="one"/);
  });
});
