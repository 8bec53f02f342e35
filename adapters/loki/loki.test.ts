// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { AdapterHandler } from "../../plugins/sdk/index.ts";
import {
  createTestContext,
  decisionInstance,
  describeAdapterContract,
  logEntryInstance,
} from "../../plugins/sdk/testing/index.ts";
import { refusedForGood, useHttpAdapter } from "../../test/support/http-adapter.ts";
import { answering } from "../../test/support/http-receiver.ts";
import { createStrictLoki } from "../../test/support/strict-loki.ts";
import { loki } from "./index.ts";

const never = new AbortController();

describeAdapterContract(loki, {
  backend: {
    config: ({ host, port }) => ({ url: `http://${host}:${port}` }),
    retryable: answering("429 Too Many Requests"),
    permanent: answering("401 Unauthorized"),
  },
});

interface Push {
  readonly streams: readonly {
    readonly stream: Readonly<Record<string, string>>;
    readonly values: readonly (readonly [string, string, Readonly<Record<string, string>>?])[];
  }[];
}

describe("the adapter loki", () => {
  const http = useHttpAdapter(loki);
  const { build, bodies } = http;

  const pushes = () => bodies<Push>();
  const nowMs = () => http.context.clock.nowMs();
  const at = (timestampMs: number, variables: Readonly<Record<string, unknown>> = {}) =>
    logEntryInstance({ timestampMs, variables });
  const refusedBy = async (handler: AdapterHandler, entries: readonly ReturnType<typeof at>[]) =>
    refusedForGood(await handler.logentry?.(entries, never));

  it("pushes streams by their labels, with entries in order of time", async () => {
    const handler = build({
      tenant: "team-a",
      username: "ada",
      password: "p",
      labels: { job: "purser", "my zone": "eu" },
      labelsFrom: { severity: "severity", "1st": "user" },
      structuredMetadata: { "trace.id": "traceId" },
    });
    const entries = [
      logEntryInstance({ timestampMs: 2000.25, variables: { user: "zoë", name: "n", traceId: "0af7" } }),
      logEntryInstance({ timestampMs: 1000, variables: { user: "zoë" } }),
      logEntryInstance({ timestampMs: 3000, severity: "ERROR", variables: { absent: undefined, user: "" } }),
    ];
    await handler.logentry?.(entries, never);
    const [request] = http.receiver.requests;
    assert.equal(request?.path, "/loki/api/v1/push");
    assert.equal(request?.headers["x-scope-orgid"], "team-a");
    assert.equal(request?.headers["authorization"], `Basic ${Buffer.from("ada:p").toString("base64")}`);
    assert.deepEqual(pushes()[0]?.streams, [
      {
        stream: { job: "purser", my_zone: "eu", severity: "INFO", _1st: "zoë" },
        values: [
          ["1000000000", '{"severity":"INFO","name":"access-log","user":"zoë"}'],
          [
            "2000250000",
            '{"severity":"INFO","name":"access-log","user":"zoë","_name":"n","traceId":"0af7"}',
            { trace_id: "0af7" },
          ],
        ],
      },
      {
        stream: { job: "purser", my_zone: "eu", severity: "ERROR" },
        values: [["3000000000", '{"severity":"ERROR","name":"access-log","user":""}']],
      },
    ]);
  });

  it("gives decisions labels and metadata by their paths", async () => {
    const handler = build({
      labelsFrom: { code: "decision.code", method: "bag.request.method", none: "bag.request.method.x" },
      structuredMetadata: { request_id: "id" },
    });
    await handler.decision?.([decisionInstance()], never);
    const [stream] = pushes()[0]?.streams ?? [];
    assert.deepEqual(stream?.stream, { job: "purser", code: "OK", method: "GET" });
    const [timestamp, line, metadata] = stream?.values[0] ?? assert.fail("no value");
    assert.equal(timestamp, "1767225600000000000");
    assert.equal((JSON.parse(line) as { decision: { allowed: boolean } }).decision.allowed, true);
    assert.deepEqual(metadata, { request_id: "a1b2" });
  });

  it("cuts labels and lines that are too long, and writes unusual values", async () => {
    const handler = build({ labelsFrom: { user: "user" }, maxLineBytes: 256 });
    const variables = { user: "é".repeat(5000), nr: Number.NaN, big: 1n, text: "x".repeat(150) };
    await handler.logentry?.([at(Number.NaN, variables), at(1e20), at(-1)], never);
    const values = pushes()[0]?.streams.flatMap((stream) => stream.values) ?? [];
    const [cut] = pushes()[0]?.streams ?? [];
    assert.equal(Buffer.byteLength(cut?.stream["user"] ?? ""), 2047);
    assert.match(cut?.stream["user"] ?? "", /^é+…$/);
    const line = cut?.values[0]?.[1] ?? "";
    assert.ok(Buffer.byteLength(line) <= 256);
    assert.deepEqual(JSON.parse(line), {
      severity: "INFO",
      name: "access-log",
      nr: null,
      big: "1",
      text: variables.text,
      _cut: 1,
    });
    assert.deepEqual(
      values.map(([timestamp]) => timestamp),
      Array(3).fill(`${nowMs()}000000`),
    );
  });

  it("bounds the number of streams for an hour", async () => {
    const handler = build({ labelsFrom: { user: "user" }, maxStreams: 2 });
    const entries = ["a", "b", "c", "a", "d"].map((user) => at(1000, { user }));
    await handler.logentry?.(entries, never);
    assert.deepEqual(
      pushes()[0]?.streams.map(({ stream, values }) => [stream["user"], values.length]),
      [
        ["a", 2],
        ["b", 1],
        [undefined, 2],
      ],
    );
    http.context.time.advance(3_600_000);
    await handler.logentry?.([at(1000, { user: "d" })], never);
    assert.equal(pushes()[1]?.streams[0]?.stream["user"], "d");
  });

  it("is taken by a strict server, and reports the entries that were refused", async () => {
    const handler = build({ labelsFrom: { user: "user" } });
    const server = createStrictLoki(nowMs);
    http.receiver.answer = server.answer;
    const HOUR = 3_600_000;
    assert.equal(
      await refusedBy(handler, [at(nowMs(), { user: "a" }), at(nowMs() - 1, { user: "a" })]),
      undefined,
    );
    // More than an hour behind the newest entry of stream a; stream b has no newer entry.
    const late = [
      at(nowMs(), { user: "a" }),
      at(nowMs() - 2 * HOUR, { user: "a" }),
      at(nowMs() - 2 * HOUR, { user: "b" }),
      at(nowMs() - 3 * HOUR + 0.5, { user: "a" }),
    ];
    assert.deepEqual(await refusedBy(handler, late), [1, 3]);
    // Eleven entries are refused, of which the message names ten.
    const many = Array.from({ length: 11 }, (_, index) => at(nowMs() - (index + 2) * HOUR, { user: "a" }));
    assert.equal((await refusedBy(handler, [at(nowMs(), { user: "a" }), ...many]))?.length, 11);
    assert.deepEqual(await refusedBy(handler, [at(nowMs() + HOUR), at(nowMs())]), [0]);
    assert.deepEqual(await refusedBy(handler, [at(nowMs()), at(nowMs() - 200 * HOUR)]), [1]);
    assert.equal(server.stored.length, 2 + 2 + 1 + 1 + 1);
  });

  it("refuses all when the message does not tell which", async () => {
    const handler = build();
    http.receiver.answer = { status: 400, body: "entry out of order" };
    assert.deepEqual(await refusedBy(handler, [at(1), at(2)]), [0, 1]);
    http.receiver.answer = {
      status: 400,
      headers: { "content-type": "text/plain" },
      body: "error parsing labels",
    };
    const malformed = Promise.resolve(handler.logentry?.([at(1)], never));
    await assert.rejects(malformed, { retryable: false, message: /400: error parsing labels/ });
  });

  it("tells busy servers and large requests apart", async () => {
    const handler = build({ maxBytes: 1024, maxLineBytes: 4096 });
    for (const status of [429, 500, 503]) {
      http.receiver.answer = { status, headers: { "retry-after": "3" } };
      const busy = Promise.resolve(handler.logentry?.([at(1)], never));
      await assert.rejects(busy, { retryable: true, details: { status, retryAfterMs: 3000 } });
    }
    http.receiver.reset();
    const small = at(1);
    const large = at(1, { text: "x".repeat(2000) });
    const many = Promise.resolve(handler.logentry?.(Array<typeof small>(50).fill(small), never));
    await assert.rejects(many, { code: "PURSER_REQUEST_TOO_LARGE" });
    assert.deepEqual(await refusedBy(handler, [large]), [0]);
    assert.equal(http.receiver.requests.length, 0);
    assert.deepEqual(await refusedBy(handler, [small, large, small]), [1]);
    assert.equal(pushes()[0]?.streams[0]?.values.length, 2);
  });

  it("finds labels that Loki does not take", () => {
    const faultsOf = (config: object) => {
      const { config: filled } = createTestContext(loki, { url: http.receiver.url, ...config });
      return loki.check?.(filled)?.map(({ path }) => path.join(".")) ?? [];
    };
    const many = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`l${index}`, "v"]));
    assert.deepEqual(faultsOf({}), []);
    assert.deepEqual(faultsOf({ labels: {} }), ["labels"]);
    assert.deepEqual(faultsOf({ labels: many(10), labelsFrom: many(0) }), []);
    assert.deepEqual(faultsOf({ labels: many(16) }), ["labelsFrom"]);
    assert.deepEqual(faultsOf({ labelsFrom: { "a-b": "x", "a.b": "y" } }), ["labelsFrom.a.b"]);
    assert.deepEqual(faultsOf({ labelsFrom: { job: "x" } }), ["labelsFrom.job"]);
    assert.deepEqual(faultsOf({ labelsFrom: { __name__: "x" } }), ["labelsFrom.__name__"]);
    assert.deepEqual(faultsOf({ structuredMetadata: many(17) }), ["structuredMetadata"]);
    assert.deepEqual(faultsOf({ headers: { "X-Scope-OrgID": "a" } }), ["headers.X-Scope-OrgID"]);
    assert.throws(() => faultsOf({ tenant: "a b" }), /tenant/);
  });
});
