// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Value from "typebox/value";
import type { AttributeBag } from "../attributes/bag.ts";
import { valueAt } from "../attributes/bag.ts";
import { DECISION_LOG_LINE, type DecisionLogLine, LOG_LINE_VERSION } from "./log-line.ts";

/** A parsed line of a decision log. */
export interface LogRecord {
  readonly line: DecisionLogLine;
  /** The bag that policies saw: without attributes that exist only after the response. */
  readonly requestBag: AttributeBag;
  /** When the request ended (`timeMs`) and when it was checked; in milliseconds since the epoch. */
  readonly timeMs: number;
  readonly requestTimeMs: number;
  /** From the beginning of the request to its end; undefined when the record does not tell. */
  readonly durationMs: number | undefined;
  /** Number of requests that this record represents: 1/sampled. */
  readonly weight: number;
  /** `file:line`, for messages. */
  readonly where: string;
}

export type ReadResult =
  | { readonly ok: true; readonly record: LogRecord }
  | { readonly ok: false; readonly problem: string };

/** Attribute groups that exist only after the request. */
const AFTERWARDS: ReadonlySet<string> = new Set(["response", "check", "quota", "upstream", "rbac"]);

/**
 * Parses one line.
 *
 * @param parseTimeMs Converts ISO 8601 to milliseconds since the epoch, NaN for other text; core has no Date.
 */
export function readRecord(text: string, where: string, parseTimeMs: (text: string) => number): ReadResult {
  let line: unknown;
  try {
    line = JSON.parse(text);
  } catch {
    return { ok: false, problem: "not a JSON object" };
  }
  if (!Value.Check(DECISION_LOG_LINE, line)) return { ok: false, problem: problemOf(line) };
  const timeMs = parseTimeMs(line.time);
  if (Number.isNaN(timeMs)) return { ok: false, problem: "time is no ISO 8601 time" };
  const bag = line.bag as AttributeBag;
  const requestTime = valueAt(bag, ["request", "time"]);
  const requestTimeMs = typeof requestTime === "string" ? parseTimeMs(requestTime) : Number.NaN;
  return {
    ok: true,
    record: {
      line,
      requestBag: Object.fromEntries(Object.entries(bag).filter(([group]) => !AFTERWARDS.has(group))),
      timeMs,
      requestTimeMs: Number.isNaN(requestTimeMs) ? timeMs : requestTimeMs,
      durationMs: durationOf(bag, timeMs - requestTimeMs),
      weight: 1 / line.sampled,
      where,
    },
  };
}

/** @param betweenMs From the request's time to the record's; NaN when the request has no time. */
function durationOf(bag: AttributeBag, betweenMs: number): number | undefined {
  return [valueAt(bag, ["response", "duration"]), betweenMs].find(
    (durationMs): durationMs is number => typeof durationMs === "number" && durationMs >= 0,
  );
}

function problemOf(line: unknown): string {
  if (typeof line !== "object" || line === null || Array.isArray(line)) return "not a JSON object";
  const { v } = line as { readonly v?: unknown };
  if (typeof v === "number" && v !== LOG_LINE_VERSION)
    return `version ${v}, and only ${LOG_LINE_VERSION} is known`;
  const first = [...Value.Errors(DECISION_LOG_LINE, line)][0];
  return first === undefined
    ? "not a line of a decision log"
    : `not a line of a decision log: ${`${first.instancePath} ${first.message}`.trim()}`;
}
