// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createServer as createHttp2Server } from "node:http2";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { gunzipSync } from "node:zlib";
import type { AdapterHandler, MetricInstance, PartialFailure, PurserError } from "../../plugins/sdk/index.ts";
import {
  type BackendScript,
  createRealTime,
  createTestContext,
  expositionText,
  describeAdapterContract,
  logEntryInstance,
  metricInstance,
  type TestContext,
  traceSpanInstance,
  type VirtualTime,
} from "../../plugins/sdk/testing/index.ts";
import { answering } from "../../test/support/http-receiver.ts";
import { opentelemetry } from "./index.ts";
import { loadCodecs } from "./otlp.ts";

/** A gRPC server that ends every call with a status. */
const ending =
  (status: number, fields: Readonly<Record<string, string>> = {}): BackendScript =>
  (socket) => {
    const server = createHttp2Server();
    server.on("stream", (stream) => {
      stream.on("error", () => {});
      stream.respond(
        { ":status": 200, "content-type": "application/grpc", "grpc-status": String(status), ...fields },
        { endStream: true },
      );
    });
    server.on("sessionError", () => {});
    server.emit("connection", socket);
  };

// The suite's calls must end within a second, and the first import of the libraries takes a part of it.
before(async function () {
  this.timeout(60_000);
  await Promise.all([import("@grpc/grpc-js"), loadCodecs("grpc"), import("undici")]);
});

const DEADLINE = { deadlineMs: 3000 };
const SHORT = { timeout: "200ms" };

/** Metrics are folded in memory: whether a receiver is busy does not matter to a report of them. */
const reportsOnly = { ...opentelemetry, templates: ["logentry", "tracespan"] as const };

describeAdapterContract(opentelemetry, {
  ...DEADLINE,
  backend: { config: ({ host, port }) => ({ endpoint: `http://${host}:${port}`, ...SHORT }) },
});

describe("over HTTP, without metrics", () => {
  describeAdapterContract(reportsOnly, {
    ...DEADLINE,
    backend: {
      config: ({ host, port }) => ({ endpoint: `http://${host}:${port}`, protocol: "http/json", ...SHORT }),
      retryable: answering("503 Service Unavailable"),
      permanent: answering("500 Internal Server Error"),
    },
  });
});

describe("over gRPC, without metrics", () => {
  describeAdapterContract(reportsOnly, {
    ...DEADLINE,
    backend: {
      config: ({ host, port }) => ({ endpoint: `http://${host}:${port}`, protocol: "grpc", ...SHORT }),
      retryable: ending(14),
      permanent: ending(7),
    },
  });
});

interface Seen {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Record<string, unknown>;
}

interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

const call = { signal: new AbortController().signal };

describe("the adapter opentelemetry over HTTP", () => {
  let server: Server;
  let endpoint: string;
  let seen: Seen[];
  let answers: Answer[];
  let context: TestContext<unknown, VirtualTime>;
  let handler: AdapterHandler;

  before(async () => {
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const bytes = Buffer.concat(chunks);
        const text = request.headers["content-encoding"] === "gzip" ? gunzipSync(bytes) : bytes;
        const body = request.headers["content-type"] === "application/json" ? text.toString() : "{}";
        seen.push({
          url: request.url ?? "",
          headers: request.headers,
          body: JSON.parse(body) as Seen["body"],
        });
        const answer = answers.shift() ?? {};
        response.writeHead(answer.status ?? 200, answer.headers).end(answer.body ?? "{}");
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  after(() => {
    server.closeAllConnections();
    server.close();
  });

  beforeEach(() => {
    seen = [];
    answers = [];
  });

  afterEach(async () => {
    await handler?.close();
    await context?.http.close();
  });

  function build(config: Readonly<Record<string, unknown>> = {}): void {
    context = createTestContext(opentelemetry, {
      endpoint,
      protocol: "http/json",
      ...config,
    }) as typeof context;
    handler = opentelemetry.build(context as never);
  }

  /** Lets virtual time pass, and real requests end. */
  async function pass(durationMs: number, until: () => boolean): Promise<void> {
    await context.time.advanceAndSettle(durationMs);
    for (let tries = 0; tries < 500 && !until(); tries++)
      await new Promise((resolve) => void setTimeout(resolve, 4));
    assert.ok(until());
    // The adapter reads the answer after the server has written it.
    await new Promise((resolve) => void setTimeout(resolve, 20));
  }

  async function failureOf(outcome: unknown): Promise<PurserError> {
    try {
      await outcome;
    } catch (error) {
      return error as PurserError;
    }
    return assert.fail("it did not reject");
  }

  const failures: readonly (readonly [number, string, boolean])[] = [
    [400, "PURSER_HANDLER_FAILED", false],
    [401, "PURSER_HANDLER_FAILED", false],
    [408, "PURSER_HANDLER_FAILED", false],
    [413, "PURSER_REQUEST_TOO_LARGE", false],
    [429, "PURSER_HANDLER_FAILED", true],
    [500, "PURSER_HANDLER_FAILED", false],
    [502, "PURSER_HANDLER_FAILED", true],
    [503, "PURSER_HANDLER_FAILED", true],
    [504, "PURSER_HANDLER_FAILED", true],
  ];
  for (const [status, code, retryable] of failures)
    it(`rejects with ${code}, ${retryable ? "" : "not "}retryable, at a ${status}`, async () => {
      build();
      answers = [{ status, headers: { "retry-after": "7" } }];
      const error = await failureOf(handler.logentry?.([logEntryInstance()], call));
      assert.equal(`${error.code} ${error.retryable}`, `${code} ${retryable}`);
      assert.equal(error.details["retryAfterMs"], retryable ? 7000 : undefined);
      assert.equal(await handler.healthy?.(), false);
    });

  it("shows the message of a receiver's google.rpc.Status", async () => {
    build({ protocol: "http/protobuf" });
    const body = Buffer.from("\u0008\u0003\u0012\u0009bad\r\ndata", "latin1");
    answers = [{ status: 400, headers: { "content-type": "application/x-protobuf" }, body }];
    const { message } = await failureOf(handler.tracespan?.([traceSpanInstance()], call));
    assert.equal(message, "the server answered 400: bad data");
  });

  it("sends to the standard paths with the configured headers, and to endpoints as they are", async () => {
    build({ endpoint: `${endpoint}/base/`, headers: { "x-api-key": "s3cret" }, compression: "none" });
    await handler.logentry?.([logEntryInstance()], call);
    await handler.tracespan?.([traceSpanInstance()], call);
    assert.deepEqual(
      seen.map(({ url }) => url),
      ["/base/v1/logs", "/base/v1/traces"],
    );
    assert.equal(seen[0]?.headers["x-api-key"], "s3cret");
    assert.equal(seen[0]?.headers["content-encoding"], undefined);
    await handler.close();
    await context.http.close();
    build({ endpoints: { logs: `${endpoint}/in?tenant=1` } });
    await handler.logentry?.([logEntryInstance()], call);
    assert.equal(seen[2]?.url, "/in?tenant=1");
    assert.equal(seen[2]?.headers["content-encoding"], "gzip");
  });

  it("counts what a partial success rejected, and sends none of it again", async () => {
    build();
    answers = [
      { body: JSON.stringify({ partialSuccess: { rejectedLogRecords: "2", errorMessage: "too old" } }) },
    ];
    const entries = [logEntryInstance(), logEntryInstance(), logEntryInstance()];
    const refused = refusedOf(await handler.logentry?.(entries, call));
    assert.equal(refused.length, 2);
    for (const { error } of refused) {
      assert.equal((error as PurserError).retryable, false);
      assert.match(error.message, /rejected 2 of 3, and does not say which: too old/);
    }
  });

  it("takes more rejected records than it sent as all of them", async () => {
    build();
    answers = [{ body: JSON.stringify({ partialSuccess: { rejectedSpans: 9 } }) }];
    const refused = refusedOf(await handler.tracespan?.([traceSpanInstance()], call));
    assert.deepEqual(
      refused.map(({ index }) => index),
      [0],
    );
  });

  it("logs a receiver's warning once", async () => {
    build();
    const warning = { body: JSON.stringify({ partialSuccess: { errorMessage: "use v2" } }) };
    answers = [warning, warning];
    assert.equal(await handler.logentry?.([logEntryInstance()], call), undefined);
    assert.equal(await handler.logentry?.([logEntryInstance()], call), undefined);
    assert.equal(context.logger.lines.length, 1);
    assert.deepEqual(context.logger.lines[0]?.fields["warning"], "use v2");
  });

  it("accepts a 200 whose body it cannot decode, with a warning", async () => {
    build({ protocol: "http/protobuf" });
    answers = [{ body: "\u000f<html>" }];
    assert.equal(await handler.logentry?.([logEntryInstance()], call), undefined);
    assert.match(String(context.logger.lines[0]?.fields["warning"]), /cannot be decoded/);
  });

  it("refuses spans that OTLP cannot represent, and sends the others", async () => {
    build();
    const spans = [
      traceSpanInstance({ traceId: "not hex" }),
      traceSpanInstance(),
      traceSpanInstance({ spanId: "0000000000000000" }),
      traceSpanInstance({ startMs: Number.NaN }),
    ];
    const refused = refusedOf(await handler.tracespan?.(spans, call));
    assert.deepEqual(
      refused.map(({ index }) => index),
      [0, 2, 3],
    );
    assert.equal(seen.length, 1);
    await handler.tracespan?.([traceSpanInstance({ traceId: "" })], call);
    assert.equal(seen.length, 1);
  });

  it("pushes cumulative metrics at every interval, with a fixed start", async () => {
    build({ interval: "10s" });
    const startNanos = `${context.clock.nowMs()}000000`;
    void handler.metric?.([metricInstance({ value: 1 })], call);
    await pass(10_000, () => seen.length === 1);
    void handler.metric?.(
      [metricInstance({ value: 2 }), metricInstance({ value: 5, labels: {}, type: "gauge", name: "g" })],
      call,
    );
    await pass(10_000, () => seen.length === 2);
    const first = pointsIn(seen[0]?.body);
    const second = pointsIn(seen[1]?.body);
    assert.deepEqual(
      [first, second].map(({ requests_total: points }) => [
        points?.[0]?.asDouble,
        points?.[0]?.startTimeUnixNano,
      ]),
      [
        [1, startNanos],
        [3, startNanos],
      ],
    );
    assert.equal(second["g"]?.[0]?.asDouble, 5);
    // Of a new series, the start is the push before its first value.
    assert.equal(second["g"]?.[0]?.startTimeUnixNano, `${context.clock.nowMs() - 10_000}000000`);
    assert.deepEqual(context.logger.lines, []);
  });

  it("pushes the first exemplar of each second, once, and only with valid ids", async () => {
    const ids = (digit: string) => ({ traceId: digit.repeat(32), spanId: digit.repeat(16) });
    const report = (...instances: Partial<MetricInstance>[]) =>
      void handler.metric?.(
        instances.map((instance) => metricInstance(instance)),
        call,
      );
    const tracesIn = (body: unknown) =>
      pointsIn(body)["requests_total"]?.[0]?.exemplars?.map(({ traceId }) => traceId[0]);
    build({ interval: "10s" });
    report(
      { exemplar: ids("0") },
      { exemplar: { traceId: "a", spanId: "b" } },
      { exemplar: ids("a"), timestampMs: 1_000 },
      { exemplar: ids("b"), timestampMs: 1_999 },
    );
    await pass(10_000, () => seen.length === 1);
    report({});
    await pass(10_000, () => seen.length === 2);
    report({ exemplar: ids("c"), timestampMs: 1_000 }, { exemplar: ids("d"), timestampMs: 2_000 });
    await pass(10_000, () => seen.length === 3);
    assert.deepEqual(
      seen.map(({ body }) => tracesIn(body)),
      [["a"], undefined, ["d"]],
    );
    build({ interval: "10s", exemplars: false });
    report({ exemplar: ids("a") });
    await pass(10_000, () => seen.length === 4);
    assert.equal(tracesIn(seen[3]?.body), undefined);
  });

  it("pushes a last time at the close, and only when values changed", async () => {
    build();
    void handler.metric?.([metricInstance()], call);
    await handler.close();
    assert.equal(seen.length, 1);
    await handler.close();
    assert.equal(seen.length, 1);
    build({ interval: "1s" });
    void handler.metric?.([metricInstance()], call);
    await pass(1000, () => seen.length === 2);
    await handler.close();
    assert.equal(seen.length, 2);
    assert.equal(context.time.scheduled, 0);
  });

  it("tries a push again, and counts it as failed after the third try", async () => {
    build();
    answers = [{ status: 503 }, { status: 503, headers: { "retry-after": "2" } }, {}];
    void handler.metric?.([metricInstance()], call);
    await pass(60_000, () => seen.length === 1);
    await pass(500, () => seen.length === 2);
    await pass(1999, () => seen.length === 2);
    await pass(1, () => seen.length === 3);
    assert.match(await expositionText(handler), /points_total\{handler="test",outcome="accepted"\} 1\n/);
    answers = [{ status: 503 }, { status: 503 }, { status: 503 }];
    await pass(60_000, () => seen.length === 4);
    await pass(500, () => seen.length === 5);
    await pass(1000, () => seen.length === 6);
    await pass(10_000, () => seen.length === 6);
    assert.match(await expositionText(handler), /points_total\{handler="test",outcome="failed"\} 1\n/);
    await pass(180_000 - context.clock.monotonicMs(), () => seen.length === 7);
    assert.deepEqual(
      context.logger.lines.map(({ message }) => message),
      ["metrics were not all accepted", "metrics are accepted again"],
    );
  });

  it("sends a push that is too large in halves", async () => {
    build();
    answers = [{ status: 413 }, {}, {}];
    void handler.metric?.(
      ["a", "b", "c"].map((path) => metricInstance({ labels: { path } })),
      call,
    );
    await pass(60_000, () => seen.length === 3);
    assert.deepEqual(
      seen.map(({ body }) => pointsIn(body)["requests_total"]?.length),
      [3, 2, 1],
    );
  });

  it("counts and logs points that the receiver rejected", async () => {
    build();
    answers = [{ body: JSON.stringify({ partialSuccess: { rejectedDataPoints: 1, errorMessage: "no" } }) }];
    void handler.metric?.([metricInstance(), metricInstance({ labels: {}, name: "b" })], call);
    await pass(60_000, () => seen.length === 1);
    const text = await expositionText(handler);
    assert.match(text, /outcome="accepted"\} 1\n/);
    assert.match(text, /outcome="rejected"\} 1\n/);
    assert.equal(context.logger.lines[0]?.fields["reason"], "the receiver rejected 1 of 2 points: no");
  });

  it("counts label sets beyond maxSeries in one series, and warns once", async () => {
    build({ maxSeries: 2 });
    void handler.metric?.(
      ["a", "b", "c", "d", "a"].map((path) => metricInstance({ labels: { path } })),
      call,
    );
    await handler.close();
    const points = pointsIn(seen[0]?.body)["requests_total"] ?? [];
    assert.deepEqual(
      points.map(({ asDouble, attributes }) => [asDouble, attributes[0]?.value]),
      [
        [2, { stringValue: "a" }],
        [1, { stringValue: "b" }],
        [2, { boolValue: true }],
      ],
    );
    assert.equal(points[2]?.attributes[0]?.key, "otel.metric.overflow");
    assert.equal(context.logger.lines.length, 1);
    assert.equal(context.logger.lines[0]?.fields["metric"], "requests_total");
    assert.match(await expositionText(handler), /overflow_total\{.*\} 2\n/);
  });

  it("forgets idle series, which come back with a later start", async () => {
    build({ interval: "10s", expireAfter: "10s" });
    const record = (path: string) => void handler.metric?.([metricInstance({ labels: { path } })], call);
    const pathsIn = (body: Seen["body"] | undefined) =>
      pointsIn(body)["requests_total"]?.map(({ attributes }) => attributes[0]?.value);
    record("a");
    await pass(10_000, () => seen.length === 1);
    record("b");
    await pass(10_000, () => seen.length === 2);
    assert.deepEqual(pathsIn(seen[1]?.body), [{ stringValue: "b" }]);
    record("a");
    await pass(10_000, () => seen.length === 3);
    assert.deepEqual(pathsIn(seen[2]?.body), [{ stringValue: "a" }]);
    const [again] = pointsIn(seen[2]?.body)["requests_total"] ?? [];
    assert.equal(again?.startTimeUnixNano, `${context.clock.nowMs() - 10_000}000000`);
  });

  it("drops and counts values that OTLP cannot represent", async () => {
    build();
    const values = [Number.NaN, Number.POSITIVE_INFINITY, -1];
    void handler.metric?.(
      values.map((value) => metricInstance({ value })),
      call,
    );
    const text = await expositionText(handler);
    assert.match(text, /dropped_total\{handler="test",metric="requests_total",reason="not_finite"\} 2\n/);
    assert.match(text, /reason="negative"\} 1\n/);
    await handler.close();
    assert.equal(seen.length, 0);
  });

  it("keeps sums finite, which JSON can represent", async () => {
    build();
    void handler.metric?.(
      [1, 2].map(() => metricInstance({ value: Number.MAX_VALUE })),
      call,
    );
    await handler.close();
    assert.equal(pointsIn(seen[0]?.body)["requests_total"]?.[0]?.asDouble, Number.MAX_VALUE);
  });
});

function refusedOf(outcome: unknown): PartialFailure["refused"] {
  assert.ok(typeof outcome === "object" && outcome !== null && "refused" in outcome);
  return (outcome as PartialFailure).refused;
}

interface Point {
  readonly asDouble?: number;
  readonly startTimeUnixNano: string;
  readonly exemplars?: readonly { readonly traceId: string }[];
  readonly attributes: readonly { readonly key: string; readonly value: unknown }[];
}

/** The points of a request by their metric. */
function pointsIn(body: unknown): Readonly<Record<string, readonly Point[]>> {
  interface Metric {
    readonly name: string;
    readonly sum?: { readonly dataPoints: readonly Point[] };
    readonly gauge?: { readonly dataPoints: readonly Point[] };
  }
  const { resourceMetrics } = body as {
    readonly resourceMetrics: readonly {
      readonly scopeMetrics: readonly { readonly metrics: readonly Metric[] }[];
    }[];
  };
  const metrics = resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics: m }) => m));
  return Object.fromEntries(metrics.map(({ name, sum, gauge }) => [name, (sum ?? gauge)?.dataPoints ?? []]));
}

describe("the adapter opentelemetry over gRPC", () => {
  const sockets = new Set<Socket>();

  async function failureAt(script: BackendScript): Promise<PurserError> {
    const { createServer: createTcp } = await import("node:net");
    const server = createTcp((socket) => {
      sockets.add(socket);
      script(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const config = { protocol: "grpc", endpoint: `http://127.0.0.1:${port}` };
    const context = createTestContext(opentelemetry, config, { time: createRealTime() });
    const handler = opentelemetry.build(context);
    try {
      await handler.logentry?.([logEntryInstance()], { signal: AbortSignal.timeout(3000) });
    } catch (error) {
      return error as PurserError;
    } finally {
      await handler.close();
      await context.http.close();
      for (const socket of sockets) socket.destroy();
      server.close();
    }
    return assert.fail("it did not reject");
  }

  for (const code of Array.from({ length: 16 }, (_, index) => index + 1)) {
    const retryable = [1, 4, 10, 11, 14, 15].includes(code);
    it(`calls status ${code} ${retryable ? "" : "not "}retryable`, async () => {
      const error = await failureAt(ending(code, { "grpc-message": "why%20not" }));
      assert.equal(`${error.code} ${error.retryable}`, `PURSER_HANDLER_FAILED ${retryable}`);
      assert.match(error.message, new RegExp(`status ${code}: why not`));
    });
  }

  // google.rpc.Status{code: 8, details: [Any{RetryInfo{retry_delay: 1.5s}}]}
  const retryInfo = Buffer.concat([
    Buffer.from([0x08, 8, 0x1a, 54, 0x0a, 40]),
    Buffer.from("type.googleapis.com/google.rpc.RetryInfo"),
    Buffer.from([0x12, 10, 0x0a, 8, 0x08, 1, 0x10, 0x80, 0xca, 0xb5, 0xee, 0x01]),
  ]).toString("base64");

  it("retries RESOURCE_EXHAUSTED with a RetryInfo, after its delay", async () => {
    const error = await failureAt(ending(8, { "grpc-status-details-bin": retryInfo }));
    assert.equal(error.retryable, true);
    assert.equal(error.details["retryAfterMs"], 1500);
  });

  it("has the batch halved when the server says that the message is too large", async () => {
    const text = "grpc:%20received%20message%20larger%20than%20max%20(5%20vs.%204)";
    const error = await failureAt(ending(8, { "grpc-message": text }));
    assert.equal(error.code, "PURSER_REQUEST_TOO_LARGE");
  });
});
