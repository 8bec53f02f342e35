// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { logEntryInstance, metricInstance, traceSpanInstance } from "../../plugins/sdk/testing/index.ts";
import { type Formatter, formatterFor } from "./format.ts";
import { type OutputRecord, recordOfLogEntry, recordOfMetric, recordOfSpan } from "./record.ts";

/** The lines of a formatter as texts. */
const linesOf =
  (format: Formatter) =>
  (record: OutputRecord): string => {
    const parts: string[] = [];
    format(record, parts);
    return parts.join("");
  };

const json = linesOf(formatterFor("json", { isTerminal: true, env: {} }));
const text = linesOf(formatterFor("text", { isTerminal: false, env: {} }));

const ENTRY = recordOfLogEntry(logEntryInstance());

describe("a line of JSON", () => {
  it("begins with time, severity and name, then has the variables in the document's order", () => {
    assert.equal(
      json(ENTRY),
      '{"time":"2026-01-01T00:00:00.000Z","severity":"INFO","name":"access-log","method":"GET","path":"/reviews/0","code":200}',
    );
  });

  it("writes metrics and spans with few nested objects", () => {
    assert.equal(
      json(recordOfMetric(metricInstance({ unit: "1", labels: { code: "200" } }))),
      '{"time":"2026-01-01T00:00:00.000Z","severity":"INFO","name":"requests_total","type":"counter","value":1,"unit":"1","labels":{"code":"200"}}',
    );
    assert.deepEqual(JSON.parse(json(recordOfSpan(traceSpanInstance({ clientSpan: true })))), {
      time: "2026-01-01T00:00:00.000Z",
      severity: "INFO",
      name: "spans",
      spanName: "GET /reviews",
      traceId: "0af7651916cd43dd8448eb211c80319c",
      spanId: "b7ad6b7169203331",
      kind: "client",
      durationMs: 12,
      httpStatusCode: 200,
      tags: { "http.request.method": "GET" },
    });
  });

  it("keeps variables apart from the record's own fields", () => {
    const record = recordOfLogEntry(
      logEntryInstance({ variables: { severity: "ERROR", time: 0, user: "ada" } }),
    );
    assert.match(
      json(record),
      /"severity":"INFO","name":"access-log","_severity":"ERROR","_time":0,"user":"ada"}$/,
    );
  });

  it("is one line of valid JSON for any variables", () => {
    const circle: Record<string, unknown> = {
      line: "a\nb\u2028c\ud800",
      big: 2n ** 70n,
      none: undefined,
      nan: Number.NaN,
    };
    circle["self"] = [circle];
    circle["bad"] = { toJSON: () => assert.fail("not me") };
    circle["when"] = new Date(0);
    let deep: unknown = "bottom";
    for (let level = 0; level < 100_000; level++) deep = [deep];
    const line = json(recordOfLogEntry(logEntryInstance({ variables: { circle, deep } })));
    assert.doesNotMatch(line, /\n/);
    assert.deepEqual(JSON.parse(line).circle, {
      line: "a\nb\u2028c\ud800",
      big: "1180591620717411303424",
      nan: null,
      self: ["[circular]"],
      bad: "[unwritable]",
      when: "1970-01-01T00:00:00.000Z",
    });
  });

  it("writes a value twice when it is referenced twice", () => {
    const shared = { a: 1 };
    const line = json(recordOfLogEntry(logEntryInstance({ variables: { x: shared, y: shared } })));
    assert.match(line, /"x":{"a":1},"y":{"a":1}/);
  });

  it("cuts long texts and says by how much", () => {
    const line = json(recordOfLogEntry(logEntryInstance({ variables: { body: "x".repeat(10_000) } })));
    assert.match(line, /x… \(1808 more characters\)"}$/);
  });

  it("has a null time for an invalid time", () => {
    for (const timestampMs of [Number.NaN, 1e20]) {
      assert.match(json(recordOfLogEntry(logEntryInstance({ timestampMs }))), /^{"time":null,/);
    }
  });
});

describe("a line of text", () => {
  it("quotes words only where they are ambiguous", () => {
    const variables = { method: "GET", agent: "curl 8", empty: "", code: 200, tags: { a: 1 } };
    assert.equal(
      text(recordOfLogEntry(logEntryInstance({ variables }))),
      '00:00:00.000 INFO    access-log method=GET agent="curl 8" empty="" code=200 tags={"a":1}',
    );
  });

  it("lets no client's text control the terminal", () => {
    const variables = { "k\u001b[2J": "v\u001b[31m\u0007\u202e\nx", more: { a: "\u009b1m" } };
    const line = text(recordOfLogEntry(logEntryInstance({ name: "n\u001b]0;x\u0007", variables })));
    // oxlint-disable-next-line no-control-regex -- these are what must not be there
    assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f\u202e]/);
    assert.match(line, /\\u001b\[31m/);
  });

  it("has a placeholder for an invalid time", () => {
    const record: OutputRecord = { ...ENTRY, time: null, fields: {} };
    assert.equal(text(record), "--:--:--.--- INFO    access-log");
  });
});

describe("the format auto", () => {
  const of = (isTerminal: boolean, env: Record<string, string> = {}) =>
    linesOf(formatterFor("auto", { isTerminal, env }))(ENTRY);

  it("is JSON unless the stream is a terminal", () => {
    assert.match(of(false), /^{/);
    assert.ok(of(true).startsWith("\u001b[2m00:00:00.000\u001b[0m \u001b[32mINFO   \u001b[0m "), of(true));
  });

  it("has no colours with NO_COLOR or on a dumb terminal", () => {
    for (const env of [{ NO_COLOR: "1" }, { TERM: "dumb" }]) assert.equal(of(true, env), text(ENTRY));
    assert.notEqual(of(true, { NO_COLOR: "" }), text(ENTRY));
  });
});
