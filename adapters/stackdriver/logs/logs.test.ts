// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type {
  AdapterHandler,
  LogEntryInstance,
  PartialFailure,
  PurserError,
} from "../../../plugins/sdk/index.ts";
import { createTestContext, logEntryInstance, type TestContext } from "../../../plugins/sdk/testing/index.ts";
import { type RunningStandIn, startGoogleStandIn } from "../../../test/support/google-stand-in/server.ts";
import { stackdriver } from "../index.ts";

const NOW = Date.UTC(2026, 0, 1);

describe("the log entries of stackdriver", () => {
  let running: RunningStandIn;
  const open: { readonly handler: AdapterHandler; readonly context: TestContext<unknown> }[] = [];

  beforeEach(async () => {
    running = await startGoogleStandIn({ nowMs: () => NOW });
  });

  afterEach(async () => {
    for (const { handler, context } of open.splice(0)) {
      await handler.close();
      await context.http.close();
    }
    await running.close();
  });

  const writerOf = (logs: Readonly<Record<string, unknown>> = {}) => {
    const endpoints = { logging: `${running.url}/` };
    const context = createTestContext(stackdriver, { project: "demo", credentials: "none", endpoints, logs });
    const handler = stackdriver.build(context);
    open.push({ handler, context });
    return async (entries: readonly LogEntryInstance[], deadlineMs = 5000): Promise<PartialFailure | void> =>
      handler.logentry?.(entries, { signal: AbortSignal.timeout(deadlineMs) });
  };
  const failureOf = (call: Promise<unknown>): Promise<PurserError> =>
    call.then(
      () => assert.fail("it did not reject"),
      (error: unknown) => error as PurserError,
    );
  const entries = () => running.standIn.logging.entries as readonly Readonly<Record<string, unknown>>[];

  it("writes entries with log, severity, time, resource, labels, request and trace", async () => {
    const write = writerOf({
      labels: ["tenant", "absent"],
      httpRequest: {
        requestMethod: "method",
        requestUrl: "path",
        status: "code",
        latency: "ms",
        responseSize: "bytes",
      },
      trace: "trace",
      span: "span",
    });
    const variables = {
      method: "GET",
      path: "/reviews/é",
      code: 200,
      ms: 12.5,
      bytes: 7,
      tenant: "a",
      trace: "0af7651916cd43dd8448eb211c80319c",
      span: "b7ad6b7169203331",
      user: { name: "Zoë", lone: "\ud800", "\udfff": 1n },
    };
    assert.equal(await write([logEntryInstance({ severity: "WARNING", variables })]), undefined);
    const [entry] = entries();
    const { resource, insertId, ...rest } = entry ?? {};
    assert.deepEqual(rest, {
      logName: "projects/demo/logs/purser.access-log",
      timestamp: "2026-01-01T00:00:00.000Z",
      severity: "WARNING",
      labels: { tenant: "a" },
      httpRequest: {
        requestMethod: "GET",
        requestUrl: "/reviews/é",
        status: 200,
        latency: "0.012500s",
        responseSize: "7",
      },
      trace: "projects/demo/traces/0af7651916cd43dd8448eb211c80319c",
      spanId: "b7ad6b7169203331",
      jsonPayload: { user: { name: "Zoë", lone: "\ufffd", "\ufffd": "1" } },
    });
    assert.equal((resource as { type: string }).type, "generic_task");
    assert.match(String(insertId), /-0000000000$/);
  });

  it("keeps the id of an entry when its batch is sent again, so that it is written once", async () => {
    const write = writerOf();
    const batch = [logEntryInstance(), logEntryInstance()];
    running.standIn.failNext("lost");
    assert.equal((await failureOf(write(batch))).retryable, true);
    // The host may repeat a copy, in other batches.
    await write(structuredClone(batch.slice(1)));
    await write(structuredClone(batch.slice(1)));
    assert.equal(entries().length, 2);
    await write([logEntryInstance()]);
    assert.equal(entries().length, 3);
  });

  it("leaves out what the service would refuse", async () => {
    const write = writerOf({
      prefix: "",
      labels: ["big"],
      httpRequest: { status: "code", latency: "ms", requestSize: "size", userAgent: "agent" },
      trace: "trace",
      span: "span",
    });
    const bad = { code: "teapot", ms: Number.NaN, size: -1, agent: null, trace: "x", span: "0".repeat(16) };
    const outcome = await write([
      logEntryInstance({
        name: "Zoë 🛳/x",
        timestampMs: Number.NaN,
        variables: { ...bad, big: "é".repeat(100_000) },
      }),
      logEntryInstance({ name: "", variables: { code: "404", ms: "3" } }),
    ]);
    assert.equal(outcome, undefined);
    const [first, second] = entries();
    assert.equal(first?.["logName"], "projects/demo/logs/Zo___%2Fx");
    assert.equal(Buffer.byteLength((first?.["labels"] as { big: string } | undefined)?.big ?? ""), 64 * 1024);
    assert.equal(
      first?.["timestamp"] ?? first?.["trace"] ?? first?.["spanId"] ?? first?.["httpRequest"],
      undefined,
    );
    assert.equal(second?.["logName"], "projects/demo/logs/_");
    assert.deepEqual(second?.["httpRequest"], { status: 404, latency: "0.003000s" });
  });

  it("cuts entries that are too large, with a mark, and refuses those that stay too large", async () => {
    const write = writerOf();
    const texts = Object.fromEntries(
      Array.from({ length: 100 }, (_, index) => [`v${index}`, "é".repeat(8000)]),
    );
    const keys = Object.fromEntries(Array.from({ length: 60_000 }, (_, index) => [`k${index}`, index]));
    const outcome = await write([
      logEntryInstance({ variables: texts }),
      logEntryInstance({ variables: keys }),
      logEntryInstance({ variables: { fine: true } }),
    ]);
    assert.deepEqual(
      outcome?.refused.map(({ index, error }) => [index, (error as PurserError).retryable]),
      [[1, false]],
    );
    const [cut, fine] = entries().map((entry) => entry["jsonPayload"] as Readonly<Record<string, unknown>>);
    assert.equal(cut?.["purser_truncated"], true);
    assert.equal(cut?.["v7"], `${"é".repeat(1023)}…`);
    assert.deepEqual(fine, { fine: true });
  });

  it("splits requests of more than 10 MB, and reports those that failed", async () => {
    const write = writerOf();
    const batch = Array.from({ length: 60 }, () =>
      logEntryInstance({
        variables: Object.fromEntries(
          "abcdefghijklmnopqrstuvwxyz".split("").map((v) => [v, "x".repeat(8000)]),
        ),
      }),
    );
    assert.equal(await write(batch), undefined);
    assert.equal(running.standIn.calls, 2);
    assert.equal(entries().length, 60);
    running.standIn.failNext("partial", "503");
    const outcome = await write(batch);
    const refused = outcome?.refused ?? [];
    assert.equal(refused.length, 21 + 17);
    assert.ok(refused.every(({ error }) => (error as PurserError).retryable));
    assert.deepEqual(
      refused.slice(0, 2).map(({ index }) => index),
      [1, 3],
    );
  });

  it("returns the entries that the service refused by their index", async () => {
    const write = writerOf();
    const outcome = await write([
      logEntryInstance(),
      logEntryInstance({ timestampMs: NOW + 2 * 86_400_000 }),
      logEntryInstance(),
    ]);
    assert.deepEqual(
      outcome?.refused.map(({ index, error }) => [index, (error as PurserError).retryable]),
      [[1, false]],
    );
    assert.match(outcome?.refused[0]?.error.message ?? "", /a day in the future/);
    assert.equal(entries().length, 2);
  });

  it("tells the host whether and when to try again", async () => {
    const write = writerOf();
    const batch = [logEntryInstance()];
    running.standIn.failNext("429", "503", "403", "hang");
    const busy = await failureOf(write(batch));
    assert.deepEqual([busy.retryable, busy.details["retryAfterMs"]], [true, 7000]);
    assert.equal(busy.message, "Cloud Logging answered RESOURCE_EXHAUSTED: Quota exceeded.");
    assert.equal((await failureOf(write(batch))).retryable, true);
    assert.equal((await failureOf(write(batch))).retryable, false);
    assert.equal((await failureOf(write(batch, 50))).code, "PURSER_HANDLER_TIMEOUT");
  });

  it("takes an empty batch without a call", async () => {
    assert.equal(await writerOf()([]), undefined);
    assert.equal(running.standIn.calls, 0);
  });
});
