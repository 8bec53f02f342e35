// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { AdapterHandler } from "../../plugins/sdk/index.ts";
import {
  createRealTime,
  createTestContext,
  decisionInstance,
  logEntryInstance,
  type RealTime,
  type TestContext,
} from "../../plugins/sdk/testing/index.ts";
import { startVictoriaLogs, type VictoriaLogs } from "../../test/support/victoria-logs.ts";
import type { LokiConfig } from "./config.ts";
import { loki } from "./index.ts";

describe("the adapter loki with VictoriaLogs", () => {
  const never = new AbortController();
  let server: VictoriaLogs;
  let context: TestContext<LokiConfig, RealTime>;
  let handler: AdapterHandler;

  before(async function () {
    this.timeout(40_000);
    server = await startVictoriaLogs(this);
    const config = {
      url: `${server.url}/insert`,
      labels: { job: "purser", "0 zone": "eu" },
      labelsFrom: { severity: "severity", "user-name": "user" },
      structuredMetadata: { trace_id: "traceId" },
    };
    context = createTestContext(loki, config, { time: createRealTime() });
    handler = loki.build(context);
  });

  after(async () => {
    await context?.http.close();
    await server?.stop();
  });

  it("stores each entry in its stream, with its time to the nanosecond", async () => {
    const startMs = Date.UTC(2026, 0, 1, 12);
    const entries = [
      { timestampMs: startMs + 2, variables: { test: "a", user: "zoë 🛳️", nr: 1, traceId: "0af7" } },
      { timestampMs: startMs + 1, variables: { test: "a", user: "zoë 🛳️", nr: 2, big: 2n ** 64n } },
      { timestampMs: startMs + 0.5, variables: { test: "a", nr: 3, text: 'a "quoted"\nline שלום' } },
    ].map((entry) => logEntryInstance(entry));
    assert.equal(await handler.logentry?.(entries, never), undefined);
    const stored = await server.query('test:="a"');
    const rows = stored.map((row) => [row["nr"], row["_time"], row["_stream"]]);
    const zoe = '{_0_zone="eu",job="purser",severity="INFO",user_name="zoë 🛳️"}';
    assert.deepEqual(
      rows.toSorted(([a = ""], [b = ""]) => a.localeCompare(b)),
      [
        ["1", "2026-01-01T12:00:00.002Z", zoe],
        ["2", "2026-01-01T12:00:00.001Z", zoe],
        ["3", "2026-01-01T12:00:00.0005Z", '{_0_zone="eu",job="purser",severity="INFO"}'],
      ],
    );
    const row = (nr: string) => stored.find((found) => found["nr"] === nr) ?? assert.fail(`no row ${nr}`);
    assert.equal(row("1")["trace_id"], "0af7");
    assert.equal(row("2")["big"], "18446744073709551616");
    assert.equal(row("3")["text"], 'a "quoted"\nline שלום');
    assert.equal(row("3")["name"], "access-log");
  });

  it("stores ten thousand entries of one batch, each once", async () => {
    const entries = Array.from({ length: 10_000 }, (_, nr) =>
      logEntryInstance({ timestampMs: Date.UTC(2026, 0, 2) + nr / 4, variables: { test: "many", nr } }),
    );
    const large = createTestContext(loki, { url: `${server.url}/insert`, maxBytes: 8 * 1024 * 1024 });
    await loki.build(large).logentry?.(entries, never);
    await large.http.close();
    const [counted] = await server.query('test:="many" | stats count() rows, count_uniq(nr) numbers');
    assert.deepEqual(counted, { rows: "10000", numbers: "10000" });
  });

  it("stores decisions without their credentials", async () => {
    const headers = { authorization: "Bearer secret", "x-user": "ada" };
    const bag = { request: { id: "loki-decision", headers } };
    await handler.decision?.([decisionInstance({ bag, timestampMs: Date.now() })], never);
    const [row] = await server.query('id:="loki-decision"');
    assert.equal(row?.["decision.code"], "OK");
    assert.doesNotMatch(JSON.stringify(row), /secret/);
  });
});
