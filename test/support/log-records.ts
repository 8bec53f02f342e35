// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { AttributeBag } from "../../core/attributes/bag.ts";
import type { DecisionLogLine } from "../../core/replay/log-line.ts";
import { type LogRecord, readRecord } from "../../core/replay/record.ts";

/** A line of a decision log: an allowed GET, with `changes`. */
export function logLine(
  bag: AttributeBag = { request: { id: "a1", method: "GET", host: "shop", url_path: "/" } },
  changes: Partial<DecisionLogLine> = {},
): DecisionLogLine {
  return {
    v: 1,
    time: "2026-01-01T00:00:00.000Z",
    name: "decisions",
    sampled: 1,
    redacted: [],
    hashed: [],
    cut: [],
    bag,
    decision: { checked: true, allowed: true, code: "OK", shadowDenials: [], audits: [] },
    ...changes,
  };
}

export function logRecord(bag?: AttributeBag, changes?: Partial<DecisionLogLine>): LogRecord {
  const read = readRecord(JSON.stringify(logLine(bag, changes)), "log:1", Date.parse);
  assert.ok(read.ok);
  return read.record;
}
