// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { stackdriver } from "../../../adapters/stackdriver/index.ts";
import {
  createRealTime,
  createTestContext,
  logEntryInstance,
  metricInstance,
  traceSpanInstance,
} from "../../../plugins/sdk/testing/index.ts";
import { startGoogleStandIn } from "./server.ts";
import { GoogleStandIn } from "./stand-in.ts";

const NOW = Date.UTC(2026, 0, 1);
const at = (offsetMs: number): string => new Date(NOW + offsetMs).toISOString();

const RESOURCE = { type: "global", labels: { project_id: "demo" } };

function series(changes: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return {
    metric: { type: "custom.googleapis.com/x", labels: {} },
    resource: RESOURCE,
    metricKind: "CUMULATIVE",
    valueType: "INT64",
    points: [{ interval: { startTime: at(-1000), endTime: at(0) }, value: { int64Value: "1" } }],
    ...changes,
  };
}

const pointAt = (startMs: number, endMs: number) => ({
  points: [{ interval: { startTime: at(startMs), endTime: at(endMs) }, value: { int64Value: "1" } }],
});
const labelled = (labels: Readonly<Record<string, string>>) => ({
  metric: { type: "custom.googleapis.com/x", labels },
});
const distribution = (changes: Readonly<Record<string, unknown>>) => ({
  valueType: "DISTRIBUTION",
  points: [
    {
      interval: { startTime: at(-1000), endTime: at(0) },
      value: {
        distributionValue: {
          count: "1",
          mean: 1,
          sumOfSquaredDeviation: 0,
          bucketOptions: { explicitBuckets: { bounds: [1, 2] } },
          bucketCounts: ["0", "1", "0"],
          ...changes,
        },
      },
    },
  ],
});

describe("the stand-in of Google Cloud", () => {
  let standIn: GoogleStandIn;

  beforeEach(() => {
    standIn = new GoogleStandIn({ nowMs: () => NOW });
  });

  /** Status and message of the answer. */
  const post = (path: string, body: unknown): string => {
    const answer = standIn.handle({ method: "POST", path, body: JSON.stringify(body) });
    if (answer.kind !== "answer") return answer.kind;
    const { error } = answer.body as {
      readonly error?: { readonly status: string; readonly message: string };
    };
    return error === undefined ? "OK" : `${error.status} ${error.message}`;
  };
  const write = (...list: readonly unknown[]): string =>
    post("/v3/projects/demo/timeSeries", { timeSeries: list });

  it("takes points that are spaced and in order", () => {
    assert.equal(write(series(pointAt(-1000, -60_000 + 59_000 + 1))), "OK");
    assert.equal(write(series(pointAt(-1000, 5_001))), "OK");
    assert.equal(write(series(pointAt(5_002, 10_001))), "OK");
    assert.equal(standIn.monitoring.series[0]?.points.length, 3);
  });

  const refusals: readonly (readonly [string, RegExp, Readonly<Record<string, unknown>>])[] = [
    [
      "a point that is too close",
      /^INVALID_ARGUMENT .*more frequently.*timeSeries\[0\]/,
      pointAt(-1000, 4_999),
    ],
    ["a point that is not later", /older end time/, pointAt(-1000, 0)],
    ["another start within the last interval", /older start time/, pointAt(-500, 10_000)],
    ["an earlier start", /older start time/, pointAt(-5000, 10_000)],
    ["a point of the future", /5 minutes in the future/, pointAt(-1000, 300_001)],
    ["a point of the past", /25 hours in the past/, pointAt(-91_000_000, -90_000_001)],
    ["a start at the end", /start time of a cumulative/, pointAt(5000, 5000)],
    ["several points", /exactly one point/, { points: [] }],
    ["another value type", /the value type of .* is INT64/, { valueType: "DOUBLE" }],
    [
      "a value of another type",
      /value type is INT64/,
      { points: [{ ...(series()["points"] as object[])[0], value: { doubleValue: 1 } }] },
    ],
    ["a label that the descriptor lacks", /has no such label/, labelled({ a: "1" })],
    [
      "a resource without its labels",
      /task_id|location/,
      { resource: { type: "generic_task", labels: { project_id: "demo" } } },
    ],
    ["an unknown kind", /not supported/, { metricKind: "DELTA" }],
  ];
  for (const [what, message, changes] of refusals)
    it(`refuses ${what}`, () => {
      assert.equal(write(series()), "OK");
      assert.match(write(series(changes)), message);
      assert.equal(standIn.monitoring.series[0]?.points.length, 1);
      assert.equal(standIn.refusals.length, 1);
    });

  it("refuses values, labels and names beyond the limits", () => {
    const cases: readonly (readonly [RegExp, Readonly<Record<string, unknown>>])[] = [
      [/longer than 1024/, labelled({ a: "🛳".repeat(1025) })],
      [/longer than 100/, labelled({ ["k".repeat(101)]: "" })],
      [/not a label key/, labelled({ "1a": "" })],
      [
        /more than 30 labels/,
        labelled(Object.fromEntries(Array.from({ length: 31 }, (_, index) => [`k${index}`, ""]))),
      ],
      [/not a metric type/, { metric: { type: "custom.googleapis.com/a b", labels: {} } }],
      [/not valid Unicode/, labelled({ a: "\ud800" })],
      [/do not ascend/, distribution({ bucketOptions: { explicitBuckets: { bounds: [1, 1] } } })],
      [
        /more than 200 buckets/,
        distribution({
          bucketOptions: { explicitBuckets: { bounds: Array.from({ length: 200 }, (_, n) => n) } },
        }),
      ],
      [/sum is not the count/, distribution({ count: "2" })],
      [/negative/, distribution({ sumOfSquaredDeviation: -1 })],
      [/a number is required/, distribution({ mean: "x" })],
    ];
    for (const [message, changes] of cases) assert.match(write(series(changes)), message);
    assert.equal(write(series(labelled({ a: "🛳".repeat(1024) }))), "OK");
    assert.equal(write(series({ ...distribution({}), metric: { type: "custom.googleapis.com/y" } })), "OK");
    assert.match(write(), /it is empty/);
    assert.match(write(...Array.from({ length: 201 }, () => series())), /more than 200/);
    assert.match(write(series(), series()), /Field timeSeries\[1\].*Duplicate/);
  });

  it("writes the valid points of a call, and tells how many", () => {
    const path = "/v3/projects/demo/timeSeries";
    const list = ["a", "b", "c"].map((user) =>
      series({ metric: { type: "custom.googleapis.com/x", labels: { user } } }),
    );
    list[1] = { ...list[1], ...pointAt(-1000, 400_000) };
    const answer = standIn.handle({ method: "POST", path, body: JSON.stringify({ timeSeries: list }) });
    assert.deepEqual(answer, {
      kind: "answer",
      status: 400,
      body: {
        error: {
          code: 400,
          status: "INVALID_ARGUMENT",
          message:
            "One or more TimeSeries could not be written: Data points cannot be written more than 5 minutes in the future.: timeSeries[1]",
          details: [
            {
              "@type": "type.googleapis.com/google.monitoring.v3.CreateTimeSeriesSummary",
              totalPointCount: 3,
              successPointCount: 2,
              errors: [{ status: { code: 3 }, pointCount: 1 }],
            },
          ],
        },
      },
    });
    assert.equal(standIn.monitoring.series.length, 2);
  });

  it("makes descriptors, adds labels to them, and gets them", () => {
    const path = "/v3/projects/demo/metricDescriptors";
    const descriptor = {
      type: "custom.googleapis.com/x",
      metricKind: "GAUGE",
      valueType: "DOUBLE",
      labels: [{ key: "a" }],
    };
    assert.equal(post(path, descriptor), "OK");
    assert.match(post(path, descriptor), /^ALREADY_EXISTS/);
    assert.match(post(path, { ...descriptor, metricKind: "CUMULATIVE" }), /another kind/);
    assert.equal(post(path, { ...descriptor, labels: [{ key: "b" }] }), "OK");
    const got = standIn.handle({ method: "GET", path: `${path}/custom.googleapis.com/x`, body: "" });
    assert.deepEqual(got.kind === "answer" && (got.body as { labels: unknown }).labels, [
      { key: "a" },
      { key: "b" },
    ]);
    const missing = standIn.handle({ method: "GET", path: `${path}/custom.googleapis.com/y`, body: "" });
    assert.equal(missing.kind === "answer" && missing.status, 404);
  });

  it("refuses entries and spans beyond the limits", () => {
    const entry = { logName: "projects/demo/logs/x", resource: RESOURCE, jsonPayload: {}, insertId: "1" };
    const writeEntry = (changes: Readonly<Record<string, unknown>>): string =>
      post("/v2/entries:write", { entries: [{ ...entry, ...changes }] });
    assert.equal(writeEntry({}), "OK");
    for (const [message, changes] of [
      [/larger than the limit/, { jsonPayload: { a: "x".repeat(262_144) } }],
      [
        /more than 64 labels/,
        { labels: Object.fromEntries(Array.from({ length: 65 }, (_, index) => [index, ""])) },
      ],
      [/a day in the future/, { timestamp: at(86_400_001) }],
      [/not a log's name/, { logName: "projects/demo/logs/a b" }],
      [/is no severity/, { severity: "LOUD" }],
      [/a payload is required/, { jsonPayload: undefined }],
      [/no such field/, { httpRequest: { latency: "1 s" } }],
      [/an int32/, { httpRequest: { status: "200" } }],
    ] as const)
      assert.match(writeEntry(changes), message);
    assert.match(post("/v2/entries:write", { entries: [], filler: "x".repeat(10_000_001) }), /payload size/);
    const span = {
      name: `projects/demo/traces/${"a".repeat(32)}/spans/${"b".repeat(16)}`,
      spanId: "b".repeat(16),
      displayName: { value: "x" },
      startTime: at(0),
      endTime: at(1),
    };
    const writeSpan = (changes: Readonly<Record<string, unknown>>): string =>
      post("/v2/projects/demo/traces:batchWrite", { spans: [span, { ...span, ...changes }] });
    for (const [message, changes] of [
      [/longer than 128 bytes/, { displayName: { value: "é".repeat(65) } }],
      [/ends before/, { endTime: at(-1) }],
      [/ids are not valid/, { spanId: "c".repeat(16) }],
      [/not a span of the project/, { name: "projects/other/traces/1/spans/2" }],
      [
        /more than 32/,
        {
          attributes: {
            attributeMap: Object.fromEntries(
              Array.from({ length: 33 }, (_, index) => [index, { intValue: "1" }]),
            ),
          },
        },
      ],
      [
        /longer than 256/,
        { attributes: { attributeMap: { a: { stringValue: { value: "x".repeat(257) } } } } },
      ],
    ] as const)
      assert.match(writeSpan(changes), message);
    assert.equal(standIn.trace.spans.length, 0);
    assert.equal(writeSpan({}), "OK");
  });

  it("misbehaves when told to, also by HTTP", async () => {
    const running = await startGoogleStandIn({ nowMs: () => NOW });
    const send = (path: string, body: unknown): Promise<Response> =>
      fetch(`${running.url}${path}`, { method: "POST", body: JSON.stringify(body) });
    try {
      assert.equal((await send("/stand-in/faults", { fault: "429" })).status, 200);
      assert.equal((await send("/stand-in/faults", { fault: "nonsense" })).status, 400);
      const busy = await send("/v3/projects/demo/timeSeries", { timeSeries: [series()] });
      assert.equal(busy.status, 429);
      assert.match(await busy.text(), /"retryDelay":"7s"/);
      assert.equal((await send("/v3/projects/demo/timeSeries", { timeSeries: [series()] })).status, 200);
      const shown = await fetch(`${running.url}/stand-in/time-series`);
      assert.equal(((await shown.json()) as unknown[]).length, 1);
      assert.equal((await fetch(`${running.url}/nothing`)).status, 404);
    } finally {
      await running.close();
    }
  });

  it("gets everything that the adapter sends, in real time", async () => {
    const running = await startGoogleStandIn({ requireToken: true });
    const { url } = running;
    const endpoints = { monitoring: url, logging: url, trace: url, metadata: url };
    const config = { project: "demo", credentials: "metadata", endpoints };
    const context = createTestContext(stackdriver, config, { time: createRealTime() });
    const handler = stackdriver.build(context);
    try {
      const call = { signal: AbortSignal.timeout(5000) };
      await handler.metric?.(
        [metricInstance({ labels: { user: "Zoë 🛳" } }), metricInstance({ name: "g", type: "gauge" })],
        call,
      );
      await handler.logentry?.([logEntryInstance()], call);
      await handler.tracespan?.([traceSpanInstance()], call);
      await handler.close();
      assert.deepEqual(running.standIn.refusals, []);
      assert.equal(running.standIn.monitoring.series.length, 2);
      assert.equal(running.standIn.monitoring.series[0]?.labels["user"], "Zoë 🛳");
      assert.equal(running.standIn.logging.entries.length, 1);
      assert.equal(running.standIn.trace.spans.length, 1);
    } finally {
      await context.http.close();
      await running.close();
    }
  });

  it("runs as a program that prints what arrives", async () => {
    const main = fileURLToPath(new URL("./main.ts", import.meta.url));
    const program = spawn(process.execPath, ["--import=tsx", main, "--port", "0"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    program.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    const printed = async (pattern: RegExp): Promise<RegExpExecArray> => {
      for (let waitedMs = 0; waitedMs < 15_000; waitedMs += 20) {
        const found = pattern.exec(output);
        if (found !== null) return found;
        await new Promise((resolve) => void setTimeout(resolve, 20));
      }
      assert.fail(`it printed ${output}`);
    };
    try {
      const [, url = ""] = await printed(/listens on (\S+)\n/);
      const entry = { logName: "projects/demo/logs/x", resource: RESOURCE, textPayload: "hello" };
      await fetch(`${url}/v2/entries:write`, { method: "POST", body: JSON.stringify({ entries: [entry] }) });
      await printed(/POST \/v2\/entries:write 200\n {2}\{"logName":.*hello.*\n/);
      await fetch(`${url}/v2/entries:write`, { method: "POST", body: "{" });
      await printed(/POST \/v2\/entries:write 400 Invalid JSON payload received\.\n/);
    } finally {
      program.kill("SIGTERM");
      await once(program, "exit");
    }
    assert.equal(program.exitCode, 0);
  });
});
