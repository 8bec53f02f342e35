// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { cutText, labelName } from "./labels.ts";
import { lineOf } from "./line.ts";
import type { Entry } from "./push.ts";
import { refusedEntries } from "./refusal.ts";
import { nanoseconds } from "./timestamp.ts";

describe("parts of a push to Loki", () => {
  it("writes times in nanoseconds without a loss", () => {
    assert.equal(nanoseconds(1_767_225_600_123), "1767225600123000000");
    assert.equal(nanoseconds(1_767_225_600_123.5), "1767225600123500000");
    assert.equal(nanoseconds(0), "0");
    assert.equal(nanoseconds(0.25), "250000");
    assert.equal(nanoseconds(1.999_999_999_9), "1999999");
  });

  it("writes names of labels as Loki demands", () => {
    assert.deepEqual(
      ["user", "0 zone", "", "naïve-name", "a".repeat(2000)].map((name) => labelName(name).slice(0, 1100)),
      ["user", "_0_zone", "_", "na_ve_name", "a".repeat(1023)],
    );
  });

  it("cuts texts between characters", () => {
    assert.equal(cutText("x".repeat(10), 10), "x".repeat(10));
    assert.equal(cutText("x".repeat(11), 10), `${"x".repeat(7)}…`);
    assert.equal(cutText("🛳️".repeat(3), 10), "🛳️…");
  });

  it("leaves out members that do not fit, and says how many", () => {
    const line = lineOf({ a: "x".repeat(500), b: 1, c: "é".repeat(500) }, 256);
    assert.equal(line, '{"b":1,"_cut":2}');
  });

  it("reads the times of Loki's messages in any zone", () => {
    const entry = (index: number, timeMs: number): Entry => ({
      index,
      stream: { text: '{job="purser"}', json: "" },
      timeMs,
      json: "",
    });
    const entries = [entry(0, Date.UTC(2026, 9, 7, 1, 35, 32, 405)), entry(1, Date.UTC(2026, 9, 7, 5))];
    const named =
      "entry with timestamp 2026-10-07 03:35:32.405 +0200 CEST ignored, reason: 'entry out of order',\n" +
      "user 'fake', total ignored: 1 out of 2 for stream: {job=\"purser\"}";
    assert.deepEqual(refusedEntries(named, entries), [entries[0]]);
    assert.deepEqual(refusedEntries(named.replace("ignored: 1", "ignored: 2"), entries), entries);
    assert.equal(refusedEntries("max entry size exceeded", entries), undefined);
  });

  it("reads a hostile message in little time", () => {
    const startMs = performance.now();
    const text = `out of order ${"entry with timestamp 2026-10-07 01:35:32 +0000 ".repeat(20_000)}`;
    assert.deepEqual(refusedEntries(text, []), []);
    assert.ok(performance.now() - startMs < 500);
  });
});
