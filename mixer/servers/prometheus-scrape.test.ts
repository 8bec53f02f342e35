// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { prometheus } from "../../adapters/prometheus/index.ts";
import type { AdapterHandler } from "../../core/hooks/extension.ts";
import { createHttpClient } from "../../plugins/sdk/http/client.ts";
import {
  createCollectingLogger,
  createMemoryFiles,
  createRealTime,
  createSeededRandom,
  createTestContext,
  metricInstance,
} from "../../plugins/sdk/testing/index.ts";
import { eventually } from "../../test/support/eventually.ts";
import { type PrometheusServer, startPrometheus } from "../../test/support/prometheus-server.ts";
import { adapterDeclaration, snapshotOf } from "../../test/support/snapshots.ts";
import { createMixer } from "../mixer.ts";
import { startMixerHttpServer } from "./http-server.ts";

const TRACE = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };
const HOSTILE = 'a"b\\c\nd é';

const ends: (() => Promise<void>)[] = [];

/** The port of a mixer whose adapter has some metrics, and the content types that it was asked for. */
async function startMixer(): Promise<number> {
  const time = createRealTime();
  const runtime = {
    clock: time.clock,
    http: () => createHttpClient(time.clock),
    scheduler: time.scheduler,
    random: createSeededRandom(),
    logger: createCollectingLogger(),
  };
  const mixer = createMixer({
    ...runtime,
    files: () => createMemoryFiles(),
    spoolFiles: () => assert.fail("no spool here"),
    buildInThread: () => assert.fail("no thread here"),
  });
  const server = await startMixerHttpServer({ mixer, ...runtime, host: "127.0.0.1", port: 0 });
  ends.push(async () => {
    await server.close(100);
    await mixer.close(100);
    time.cancelAll();
  });
  await mixer.apply(snapshotOf({ handlers: [adapterDeclaration("metrics", adapterWithMetrics())] }));
  return server.port;
}

function adapterWithMetrics(): AdapterHandler {
  const config = { nativeHistograms: true, createdSamples: true };
  const handler = prometheus.build(createTestContext(prometheus, config));
  const { signal } = new AbortController();
  const timestampMs = Date.now();
  const latency = {
    name: "latency",
    type: "histogram",
    buckets: [10, 100],
    labels: { path: HOSTILE },
  } as const;
  const instances = [
    metricInstance({ name: "requests_total", value: 41, labels: { code: "200" } }),
    metricInstance({
      name: "requests_total",
      value: 1,
      labels: { code: "200" },
      exemplar: TRACE,
      timestampMs,
    }),
    metricInstance({ name: "calls", value: 7, labels: {} }),
    metricInstance({ name: "open", type: "gauge", value: -2.5, labels: {} }),
    // 1 to 100: half of them are at most 50.
    ...Array.from({ length: 100 }, (_, index) => metricInstance({ ...latency, value: index + 1 })),
    metricInstance({ ...latency, value: 0, exemplar: TRACE, timestampMs }),
  ];
  void handler.metric?.(instances, { signal });
  return handler;
}

/** The port of a server that asks the mixer for Prometheus' text format, whatever it is asked for. */
async function startTextFront(mixerPort: number): Promise<number> {
  const server: Server = createServer((_, response) => {
    void fetch(`http://127.0.0.1:${mixerPort}/metrics`)
      .then(async (answer) => {
        response.setHeader("content-type", answer.headers.get("content-type") ?? "");
        response.end(await answer.text());
      })
      .catch(() => response.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ends.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

describe("a mixer that a real Prometheus scrapes", function () {
  this.timeout(40_000);
  let classic: PrometheusServer;
  let native: PrometheusServer;

  before(async function () {
    const port = await startMixer();
    const front = await startTextFront(port);
    const targets = { openmetrics: `127.0.0.1:${port}`, text: `127.0.0.1:${front}` };
    classic = await startPrometheus(this, targets, ["exemplar-storage"]);
    ends.push(() => classic.stop());
    const features = ["exemplar-storage", "native-histograms"];
    native = await startPrometheus(this, { protobuf: `127.0.0.1:${port}` }, features);
    ends.push(() => native.stop());
  });

  after(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });

  interface Result {
    readonly metric: Readonly<Record<string, string>>;
    readonly value: readonly [number, string];
  }
  const query = async (server: PrometheusServer, text: string): Promise<Result> => {
    const { result } = (await server.api("query", { query: text })) as { readonly result: readonly Result[] };
    assert.equal(result.length, 1, text);
    return result[0] as Result;
  };
  const until = (assertion: () => Promise<void>): Promise<void> =>
    eventually(assertion, { deadlineMs: 15_000, everyMs: 200 });

  for (const [job, server] of [
    ["text", () => classic],
    ["openmetrics", () => classic],
    ["protobuf", () => native],
  ] as const) {
    it(`has the values of its series from ${job}`, async () => {
      await until(async () => {
        for (const [name, value] of [
          [`up{job="${job}"}`, "1"],
          [`requests_total{job="${job}",code="200"}`, "42"],
          [`calls{job="${job}"}`, "7"],
          [`open{job="${job}"}`, "-2.5"],
          [`purser_mixer_report_bags_total{job="${job}"}`, "0"],
        ] as const)
          assert.equal((await query(server(), name)).value[1], value, name);
      });
    });
  }

  for (const job of ["text", "openmetrics"]) {
    it(`has the buckets of a histogram from ${job}, with the same bounds`, async () => {
      await until(async () => {
        const { metric, value } = await query(classic, `latency_bucket{job="${job}",le="100.0"}`);
        assert.equal(value[1], "101");
        assert.equal(metric["path"], HOSTILE);
        assert.equal((await query(classic, `latency_sum{job="${job}"}`)).value[1], "5050");
      });
    });
  }

  it("has a native histogram from protobuf, with quantiles finer than the document's buckets", async () => {
    await until(async () => {
      const median = Number((await query(native, "histogram_quantile(0.5, latency)")).value[1]);
      assert.ok(median > 46 && median < 54, `the median of 0 to 100 is ${median}`);
      assert.equal((await query(native, "histogram_count(latency)")).value[1], "101");
      assert.equal((await query(native, "histogram_sum(latency)")).value[1], "5050");
    });
  });

  for (const [job, server, names] of [
    ["openmetrics", () => classic, ["requests_total", "latency_bucket"]],
    ["protobuf", () => native, ["requests_total", "latency"]],
  ] as const) {
    it(`has the exemplars from ${job}`, async () => {
      await until(async () => {
        for (const name of names) {
          const exemplars = (await server().api("query_exemplars", {
            query: `${name}{job="${job}"}`,
            start: String(Date.now() / 1_000 - 600),
            end: String(Date.now() / 1_000 + 60),
          })) as readonly { readonly exemplars: readonly { readonly labels: unknown }[] }[];
          assert.deepEqual(
            exemplars[0]?.exemplars[0]?.labels,
            { trace_id: TRACE.traceId, span_id: TRACE.spanId },
            name,
          );
        }
      });
    });
  }

  it("has the beginnings of series from OpenMetrics, when the handler asks for them", async () => {
    await until(async () => {
      assert.ok(Number((await query(classic, 'requests_created{job="openmetrics"}')).value[1]) > 1.7e9);
    });
  });
});
