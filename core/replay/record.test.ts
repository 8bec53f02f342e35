// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { logLine, logRecord } from "../../test/support/log-records.ts";
import { readRecord } from "./record.ts";

describe("a record of a decision log", () => {
  it("has the attributes that policies saw, without those of the response", () => {
    const request = { id: "a", time: "2026-01-01T00:00:01.000Z" };
    const bag = { request, response: { code: 200 }, check: { cache_hit: true }, quota: {}, upstream: {} };
    const record = logRecord(bag, { time: "2026-01-01T00:00:02.000Z", sampled: 0.25 });
    assert.deepEqual(record.requestBag, { request });
    assert.deepEqual([record.timeMs - record.requestTimeMs, record.weight, record.where], [1000, 4, "log:1"]);
    assert.deepEqual(record.line.bag, bag);
  });

  it("uses its own time when the request has none", () => {
    for (const request of [{}, { time: 5 }, { time: "yesterday" }]) {
      const record = logRecord({ request });
      assert.equal(record.requestTimeMs, record.timeMs);
    }
  });

  it("has its duration from the response, or from both times, if any tells", () => {
    const time = "2026-01-01T00:00:02.000Z";
    const durationOf = (start: string | undefined, duration: string | number | undefined) =>
      logRecord({ request: { time: start }, response: { duration } }, { time }).durationMs;
    assert.equal(durationOf("2026-01-01T00:00:01.000Z", 250), 250);
    for (const duration of [undefined, "250", -1]) {
      assert.equal(durationOf("2026-01-01T00:00:01.000Z", duration), 1_000);
      assert.equal(durationOf("2026-01-01T00:00:03.000Z", duration), undefined);
      assert.equal(durationOf(undefined, duration), undefined);
    }
  });

  it("may have unknown fields", () => {
    assert.ok(readRecord(JSON.stringify({ ...logLine(), later: 1 }), "log:1", Date.parse).ok);
  });

  it("is refused with a reason when it is malformed", () => {
    const problems: readonly (readonly [string, RegExp])[] = [
      ["", /^not a JSON object$/],
      ['{"v":1,"ti', /^not a JSON object$/],
      ["[1]", /^not a JSON object$/],
      ["null", /^not a JSON object$/],
      ['{"v":2}', /^version 2, and only 1 is known$/],
      ["{}", /^not a line of a decision log/],
      [JSON.stringify({ ...logLine(), sampled: 0 }), /sampled/],
      [JSON.stringify({ ...logLine(), bag: 1 }), /bag/],
      [JSON.stringify({ ...logLine(), time: "noon" }), /^time is no ISO 8601 time$/],
    ];
    for (const [text, expected] of problems) {
      const read = readRecord(text, "log:1", Date.parse);
      assert.ok(!read.ok, text);
      assert.match(read.problem, expected);
    }
  });
});
