// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { gunzipSync } from "node:zlib";
import Value from "typebox/value";
import { DECISION_LOG_LINE } from "../../core/replay/log-line.ts";
import type { AdapterHandler, LogEntryInstance } from "../../plugins/sdk/index.ts";
import {
  createTestContext,
  decisionInstance,
  describeAdapterContract,
  logEntryInstance,
  metricInstance,
  traceSpanInstance,
} from "../../plugins/sdk/testing/index.ts";
import { eventually } from "../../test/support/eventually.ts";
import { file } from "./index.ts";

const { signal } = new AbortController();

/** The start of virtual time, a full hour. */
const SAMPLE_MS = Date.UTC(2026, 0, 1);

describe("the adapter file", () => {
  let folder: string;
  let path: string;
  const handlers: AdapterHandler[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "purser-file-"));
    path = join(folder, "log");
  });
  afterEach(async () => {
    for (const handler of handlers.splice(0)) await handler.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const build = (config: Readonly<Record<string, unknown>> = {}) => {
    const context = createTestContext(file, { path, ...config });
    const handler = file.build(context);
    handlers.push(handler);
    return { ...context, handler };
  };
  const log = (handler: AdapterHandler, ...entries: Partial<LogEntryInstance>[]) =>
    handler.logentry?.(entries.map(logEntryInstance), { signal });
  const read = (name = "log") => readFileSync(join(folder, name), "utf8");
  const linesOf = (text: string) =>
    text
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  it("writes each template's instances as lines of JSON", async () => {
    const { handler } = build();
    await log(handler, {}, { severity: "ERROR" });
    await handler.metric?.([metricInstance({ unit: "1", labels: { code: "200" } })], { signal });
    await handler.tracespan?.([traceSpanInstance()], { signal });
    await handler.decision?.([decisionInstance()], { signal });
    const time = "2026-01-01T00:00:00.000Z";
    const variables = { method: "GET", path: "/reviews/0", code: 200 };
    const [first, second, metric, span, decision] = linesOf(read());
    assert.deepEqual(first, { template: "logentry", time, name: "access-log", severity: "INFO", variables });
    assert.equal(second?.["severity"], "ERROR");
    assert.deepEqual(metric, {
      template: "metric",
      time,
      name: "requests_total",
      type: "counter",
      value: 1,
      unit: "1",
      labels: { code: "200" },
    });
    assert.deepEqual(span, {
      template: "tracespan",
      time,
      name: "spans",
      spanName: "GET /reviews",
      traceId: "0af7651916cd43dd8448eb211c80319c",
      spanId: "b7ad6b7169203331",
      kind: "server",
      durationMs: 12,
      httpStatusCode: 200,
      tags: { "http.request.method": "GET" },
    });
    assert.ok(Value.Check(DECISION_LOG_LINE, decision));
    assert.equal((decision as { template?: unknown }).template, "decision");
  });

  it("takes non-ASCII, huge, absent and invalid values", async () => {
    const { handler } = build();
    const variables = { "Zoë 🛳️": "שלום\n\u0000\ud800", absent: undefined, huge: "x".repeat(1_000_000) };
    await log(handler, { variables, timestampMs: Number.NaN });
    await handler.metric?.([metricInstance({ value: Number.NaN })], { signal });
    const [entry, metric] = linesOf(read());
    assert.deepEqual([entry?.["time"], metric?.["value"]], [null, null]);
    const written = entry?.["variables"] as Record<string, string>;
    assert.deepEqual(Object.keys(written), ["Zoë 🛳️", "huge"]);
    assert.equal(written["Zoë 🛳️"], "שלום\n\u0000\ud800");
    assert.match(written["huge"] ?? "", /x… \(991808 more characters\)$/);
  });

  it("redacts credentials and configured attributes in decisions", async () => {
    const { handler } = build({ redact: ["request.headers.x-s*"] });
    const headers = { cookie: "s3cret", "x-session": "s3cret", "x-user": "zoë" };
    await handler.decision?.([decisionInstance({ bag: { request: { headers } } })], { signal });
    assert.doesNotMatch(read(), /s3cret/);
    assert.match(read(), /"x-user":"zoë"/);
  });

  it("rotates by size, and keeps maxFiles files", async () => {
    const { handler } = build({ maxBytes: 1, maxFiles: 2 });
    for (const name of ["a", "b", "c", "d"]) await log(handler, { name });
    assert.deepEqual(readdirSync(folder).toSorted(), ["log", "log.1", "log.2"]);
    assert.deepEqual(
      ["log", "log.1", "log.2"].map((name) => linesOf(read(name))[0]?.["name"]),
      ["d", "c", "b"],
    );
  });

  it("rotates in the first batch of a period, also after a restart", async () => {
    const first = build({ interval: "1h" });
    await log(first.handler, { name: "a" });
    await first.handler.close();
    const lastMs = SAMPLE_MS + 3_599_000;
    utimesSync(path, lastMs / 1000, lastMs / 1000);
    const { handler, time } = build({ interval: "1h" });
    await log(handler, { name: "b" });
    assert.deepEqual(readdirSync(folder), ["log"]);
    utimesSync(path, lastMs / 1000, lastMs / 1000);
    time.advance(3_600_000);
    await log(handler, { name: "c" });
    assert.deepEqual(
      ["log.1", "log"].map((name) => linesOf(read(name)).map((line) => line["name"])),
      [["a", "b"], ["c"]],
    );
  });

  it("compresses rotated files without a pause in writing", async () => {
    const { handler } = build({ maxBytes: 1, maxFiles: 3, gzip: true, mode: "0640" });
    for (const name of ["a", "b", "c"]) await log(handler, { name });
    await eventually(async () => {
      assert.deepEqual(readdirSync(folder).toSorted(), ["log", "log.1.gz", "log.2.gz"]);
    });
    const texts = ["log.2.gz", "log.1.gz"].map((name) => gunzipSync(readFileSync(join(folder, name))));
    assert.deepEqual(
      texts.map((text) => linesOf(text.toString())[0]?.["name"]),
      ["a", "b"],
    );
    assert.equal(statSync(join(folder, "log.1.gz")).mode & 0o737, 0o600);
  });

  it("loses and repeats no line of two handlers that rotate one path", async () => {
    const config = { maxBytes: 2000, maxFiles: 1000, fsync: "batch" };
    const [one, other] = [build(config).handler, build(config).handler];
    const names = Array.from({ length: 200 }, (_, index) => `line-${index}`);
    const batches = (handler: AdapterHandler, own: readonly string[]) =>
      own.reduce<Promise<void>>(async (before, name) => {
        await before;
        await log(handler, { name });
      }, Promise.resolve());
    await Promise.all([batches(one, names.slice(0, 100)), batches(other, names.slice(100))]);
    const written = readdirSync(folder).flatMap((name) =>
      linesOf(read(name)).map((line) => String(line["name"])),
    );
    assert.deepEqual(written.toSorted(), names.toSorted());
    assert.ok(readdirSync(folder).length > 5);
  });

  it("reopens a file that was moved, as logrotate does", async () => {
    const { handler } = build({ maxBytes: 0 });
    await log(handler, { name: "a" });
    renameSync(path, `${path}-moved`);
    await log(handler, { name: "b" });
    assert.equal(linesOf(read("log-moved")).length, 1);
    assert.equal(linesOf(read())[0]?.["name"], "b");
  });

  it("tells errors that pass from those that do not", async () => {
    for (const [where, code, retryable] of [
      [join(folder, "missing", "log"), /ENOENT/, true],
      [folder, /EISDIR/, false],
      [join(folder, "x".repeat(300)), /ENAMETOOLONG/, false],
      ["/dev/full", /ENOSPC/, true],
    ] as const) {
      if (where.startsWith("/dev") && !existsSync(where)) continue;
      const { handler } = build({ path: where });
      await assert.rejects(async () => log(handler, {}), {
        code: "PURSER_HANDLER_FAILED",
        retryable,
        message: code,
      });
      assert.equal(await handler.healthy?.(), false);
    }
    mkdirSync(join(folder, "missing"));
  });

  it("does not hold up the process while it writes and compresses a large file", async () => {
    const { handler } = build({ maxBytes: 20_000_000, gzip: true });
    const variables = { body: "x".repeat(8000) };
    const batch = Array.from({ length: 200 }, () => logEntryInstance({ variables }));
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    for (let index = 0; index < 20; index++) await handler.logentry?.([...batch], { signal });
    await eventually(async () => assert.ok(existsSync(`${path}.1.gz`)));
    delay.disable();
    // A batch of 1.6 MB takes some 5 ms to format. The median is that of a busy machine too; a synchronous write
    // and compression would hold up each turn.
    assert.ok(delay.percentile(50) < 100e6, `${delay.percentile(50) / 1e6} ms`);
  });

  it("finds faults of the configuration that the schema cannot express", () => {
    const faultsOf = (config: object) =>
      file.check?.({ ...createTestContext(file, { path }).config, ...config }).map((fault) => fault.path[0]);
    assert.deepEqual(faultsOf({}), []);
    assert.deepEqual(faultsOf({ path: "a\0b" }), ["path"]);
    assert.deepEqual(faultsOf({ interval: "10ms" }), ["interval"]);
    assert.deepEqual(faultsOf({ gzip: true, maxBytes: 0 }), ["gzip"]);
    assert.deepEqual(faultsOf({ gzip: true, maxBytes: 0, interval: "1h" }), []);
  });
});

describe("the contract of the adapter file", () => {
  const folder = mkdtempSync(join(tmpdir(), "purser-file-contract-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  describeAdapterContract(file, { config: { path: join(folder, "log"), maxBytes: 100_000, gzip: true } });
});
