// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gunzipSync } from "node:zlib";
import Value from "typebox/value";
import { DECISION_LOG_LINE } from "../../core/replay/log-line.ts";
import {
  createTestContext,
  decisionInstance,
  describeAdapterContract,
  logEntryInstance,
  metricInstance,
  traceSpanInstance,
} from "../../plugins/sdk/testing/index.ts";
import { useHttpAdapter } from "../../test/support/http-adapter.ts";
import { answering } from "../../test/support/http-receiver.ts";
import { webhook } from "./index.ts";

const SECRETS = [1, 2].map((byte) => `whsec_${Buffer.alloc(32, byte).toString("base64")}`);
const never = new AbortController();

describeAdapterContract(webhook, {
  backend: {
    config: ({ host, port }) => ({ url: `http://${host}:${port}/in`, signingSecrets: SECRETS }),
    retryable: answering("503 Service Unavailable"),
    permanent: answering("401 Unauthorized"),
  },
});

interface Envelope {
  readonly id: string;
  readonly handler: string;
  readonly template: string;
  readonly attempt: number;
  readonly items: readonly Record<string, unknown>[];
}

describe("the adapter webhook", () => {
  const http = useHttpAdapter(webhook, { handler: "audit", path: "/in?a=b" });
  const { build, bodies } = http;

  const envelopes = () => bodies<Envelope>();

  it("posts an envelope for a batch of each template", async () => {
    const handler = build({ token: "t", headers: { "X-Team": "mesh" } });
    await handler.logentry?.([logEntryInstance()], never);
    await handler.metric?.([metricInstance({ unit: "ms" })], never);
    await handler.tracespan?.([traceSpanInstance()], never);
    await handler.decision?.([decisionInstance()], never);
    const [request] = http.receiver.requests;
    assert.equal(`${request?.method} ${request?.path}`, "POST /in?a=b");
    assert.equal(request?.headers["content-type"], "application/json");
    assert.equal(request?.headers["authorization"], "Bearer t");
    assert.equal(request?.headers["x-team"], "mesh");
    assert.equal(request?.headers["webhook-signature"], undefined);
    const [log, metric, span, decision] = envelopes();
    assert.equal(log?.id, request?.headers["webhook-id"]);
    assert.deepEqual(
      { ...log, id: "" },
      {
        id: "",
        handler: "audit",
        template: "logentry",
        attempt: 1,
        items: [
          {
            name: "access-log",
            time: "2026-01-01T00:00:00.000Z",
            severity: "INFO",
            variables: { method: "GET", path: "/reviews/0", code: 200 },
          },
        ],
      },
    );
    assert.deepEqual(metric?.items, [
      {
        name: "requests_total",
        time: "2026-01-01T00:00:00.000Z",
        type: "counter",
        value: 1,
        unit: "ms",
        labels: { source: "storefront", destination: "reviews", code: "200" },
      },
    ]);
    assert.deepEqual(span?.items, [
      {
        name: "spans",
        spanName: "GET /reviews",
        traceId: "0af7651916cd43dd8448eb211c80319c",
        spanId: "b7ad6b7169203331",
        kind: "server",
        startTime: "2026-01-01T00:00:00.000Z",
        endTime: "2026-01-01T00:00:00.012Z",
        durationMs: 12,
        httpStatusCode: 200,
        tags: { "http.request.method": "GET" },
      },
    ]);
    assert.ok(Value.Check(DECISION_LOG_LINE, decision?.items[0]));
  });

  it("posts an array, and lines", async () => {
    const entries = [logEntryInstance({ variables: { a: "x\ny" } }), logEntryInstance({ name: "other" })];
    await build({ envelope: false }).logentry?.(entries, never);
    const [array] = http.receiver.requests;
    assert.equal((JSON.parse(array?.body.toString() ?? "") as unknown[]).length, 2);
    assert.equal(array?.headers["purser-template"], "logentry");
    await http.context.http.close();
    await build({ format: "jsonl" }).logentry?.(entries, never);
    const lines = http.receiver.requests[1];
    assert.equal(lines?.headers["content-type"], "application/x-ndjson");
    const parts = lines?.body.toString().split("\n") ?? [];
    assert.deepEqual(
      parts.map((part) => (part === "" ? "" : (JSON.parse(part) as { name: string }).name)),
      ["access-log", "other", ""],
    );
  });

  it("signs with each secret, so that the README's verification accepts the request", async () => {
    const folder = mkdtempSync(join(tmpdir(), "purser-webhook-"));
    try {
      const readme = readFileSync(new URL("README.md", import.meta.url), "utf8");
      const code = /^```js\n([^]*?)^```$/m.exec(readme)?.[1] ?? "";
      writeFileSync(join(folder, "verify.mjs"), code);
      const { isSigned } = (await import(pathToFileURL(join(folder, "verify.mjs")).href)) as {
        readonly isSigned: (secret: string, headers: object, body: string, nowMs?: number) => boolean;
      };
      for (const gzip of [false, true]) {
        http.receiver.reset();
        const handler = build({ signingSecrets: SECRETS, gzip });
        await handler.logentry?.([logEntryInstance({ variables: { name: "Zoë 🛳️" } })], never);
        const { headers, body: sent } = http.receiver.requests[0] ?? assert.fail("no request");
        assert.equal(headers["content-encoding"], gzip ? "gzip" : undefined);
        const body = (gzip ? gunzipSync(sent) : sent).toString();
        const nowMs = http.context.clock.nowMs();
        for (const secret of SECRETS) assert.equal(isSigned(secret, headers, body, nowMs), true);
        const other = `whsec_${Buffer.alloc(32, 3).toString("base64")}`;
        assert.equal(isSigned(other, headers, body, nowMs), false);
        assert.equal(isSigned(SECRETS[0] as string, headers, `${body} `, nowMs), false);
        assert.equal(isSigned(SECRETS[0] as string, headers, body, nowMs + 301_000), false);
        await http.context.http.close();
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("keeps the id of a batch that is tried again, and tells the attempts apart", async () => {
    const handler = build({ signingSecrets: SECRETS });
    const batch = [logEntryInstance()];
    http.receiver.answer = { status: 503, headers: { "retry-after": "2" } };
    const failed = Promise.resolve(handler.logentry?.(batch, never));
    await assert.rejects(failed, { retryable: true, details: { status: 503, retryAfterMs: 2000 } });
    http.receiver.answer = { status: 204 };
    http.context.time.advance(3000);
    await handler.logentry?.(batch, never);
    await handler.logentry?.([...batch], never);
    const [first, second, other] = envelopes();
    assert.equal(first?.id, second?.id);
    assert.notEqual(first?.id, other?.id);
    assert.deepEqual([first?.attempt, second?.attempt, other?.attempt], [1, 2, 1]);
    const headers = http.receiver.requests.map((request) => request.headers);
    assert.equal(Number(headers[1]?.["webhook-timestamp"]) - Number(headers[0]?.["webhook-timestamp"]), 3);
    assert.notEqual(headers[0]?.["webhook-signature"], headers[1]?.["webhook-signature"]);
    assert.equal(headers[1]?.["purser-attempt"], "2");
  });

  it("has a large batch halved before it is sent, and refuses a large instance for good", async () => {
    const handler = build({ maxBytes: 1024 });
    const large = logEntryInstance({ variables: { body: "é".repeat(600) } });
    const small = logEntryInstance();
    const tooLarge = Promise.resolve(handler.logentry?.(Array<typeof small>(20).fill(small), never));
    await assert.rejects(tooLarge, { code: "PURSER_REQUEST_TOO_LARGE" });
    const alone = await handler.logentry?.([large], never);
    assert.deepEqual(http.receiver.requests.length, 0);
    assert.equal(alone?.refused.length, 1);
    const mixed = await handler.logentry?.([small, large, small], never);
    assert.deepEqual(
      mixed?.refused.map(({ index, error }) => [index, (error as { retryable?: unknown }).retryable]),
      [[1, false]],
    );
    assert.equal(envelopes()[0]?.items.length, 2);
    assert.ok((http.receiver.requests[0]?.body.length ?? 0) <= 1024);
  });

  it("says what each refusal means", async () => {
    const handler = build();
    const answers: readonly (readonly [number, string, boolean])[] = [
      [302, "PURSER_HANDLER_FAILED", false],
      [410, "PURSER_HANDLER_FAILED", false],
      [413, "PURSER_REQUEST_TOO_LARGE", false],
      [429, "PURSER_HANDLER_FAILED", true],
      [502, "PURSER_HANDLER_FAILED", true],
    ];
    for (const [status, code, retryable] of answers) {
      http.receiver.answer = { status };
      const sent = Promise.resolve(handler.logentry?.([logEntryInstance()], never));
      await assert.rejects(sent, { code, retryable }, String(status));
    }
  });

  it("writes unusual values as JSON, and sends nothing for an empty batch", async () => {
    const handler = build();
    await handler.metric?.([], never);
    assert.equal(http.receiver.requests.length, 0);
    await handler.metric?.(
      [metricInstance({ value: Number.NaN, timestampMs: Number.NaN, labels: { name: "\ud800 שלום" } })],
      never,
    );
    const variables = { absent: undefined, big: 2n ** 70n, huge: "x".repeat(1_000_000), nothing: null };
    await handler.logentry?.([logEntryInstance({ variables })], never);
    const [metric, log] = envelopes().map(({ items }) => items[0]);
    assert.equal(metric?.["value"], null);
    assert.equal(metric?.["time"], null);
    assert.deepEqual(metric?.["labels"], { name: "\ud800 שלום" });
    const written = log?.["variables"] as Record<string, unknown>;
    assert.deepEqual(Object.keys(written), ["big", "huge", "nothing"]);
    assert.equal(written["big"], "1180591620717411303424");
    assert.match(String(written["huge"]), /… \(991808 more characters\)$/);
  });

  it("redacts credentials of decisions, and the attributes that redact names", async () => {
    const handler = build({ redact: ["request.headers.x-session"] });
    const headers = { cookie: "secret", "x-session": "secret", "x-user": "ada" };
    await handler.decision?.([decisionInstance({ bag: { request: { headers } } })], never);
    const text = http.receiver.requests[0]?.body.toString() ?? "";
    assert.doesNotMatch(text, /secret/);
    assert.match(text, /"x-user":"ada"/);
  });

  it("finds secrets that are no keys, and an envelope of lines", () => {
    const faultsOf = (config: object) => {
      const { config: filled } = createTestContext(webhook, { url: "http://127.0.0.1/", ...config });
      return webhook.check?.(filled)?.map(({ path }) => path.join(".")) ?? [];
    };
    assert.deepEqual(faultsOf({ signingSecrets: [SECRETS[0]] }), []);
    assert.deepEqual(faultsOf({ signingSecrets: [SECRETS[0], "hunter2"] }), ["signingSecrets.1"]);
    assert.deepEqual(faultsOf({ signingSecrets: ["whsec_c2hvcnQ="] }), ["signingSecrets.0"]);
    assert.deepEqual(faultsOf({ signingSecrets: [`whsec_${"*".repeat(40)}`] }), ["signingSecrets.0"]);
    assert.deepEqual(faultsOf({ format: "jsonl", envelope: false }), ["envelope"]);
    assert.deepEqual(faultsOf({ headers: { "Webhook-Id": "x" } }), ["headers.Webhook-Id"]);
    assert.deepEqual(faultsOf({ url: "no url" }), ["url"]);
  });
});
