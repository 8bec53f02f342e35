// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type ApiFailure, detailOf } from "../api/failure.ts";
import { numberAt } from "../api/json.ts";

/** The outcome of the points of a refused timeSeries.create. */
export interface Refusals {
  /** The points that the message names, by position in the call: whether each came too soon or too late for its series. */
  readonly named: ReadonlyMap<number, "too_frequent" | "refused">;
  /** Outcome of the points that the message does not name. */
  readonly others: "written" | "not_written" | "unknown";
}

/** Longest message that is read, in characters. */
const MAX_MESSAGE = 100_000;

/** Positions in a message: `timeSeries[0-39,45]`, or `timeSeries[3]` at the begin of a field's path. */
const POSITIONS = /timeSeries\[([\d,\- ]{1,2000})\]/g;

const TIMING = /more frequently|must be written in order|older (?:start|end) time/i;

/**
 * Reads a refusal. The service writes the valid points of a call, states the numbers in google.monitoring.v3.CreateTimeSeriesSummary
 * and the positions of the others only in its message.
 */
export function refusalsOf({ message, details }: ApiFailure, points: number): Refusals {
  const text = message.slice(0, MAX_MESSAGE);
  const named = new Map<number, "too_frequent" | "refused">();
  let from = 0;
  for (const match of text.matchAll(POSITIONS)) {
    const reason = TIMING.test(text.slice(from, match.index)) ? "too_frequent" : "refused";
    from = match.index + match[0].length;
    for (const position of positionsOf(match[1] as string, points)) named.set(position, reason);
  }
  const summary = detailOf(details, "google.monitoring.v3.CreateTimeSeriesSummary");
  if (summary === undefined) return { named, others: "not_written" };
  const written = numberAt(summary, "successPointCount") ?? 0;
  return { named, others: written === points - named.size ? "written" : "unknown" };
}

/** Positions below `points` in a list such as `0-39,45`. */
function* positionsOf(list: string, points: number): Generator<number> {
  for (const part of list.split(",")) {
    const [first = "", last = first] = part.trim().split("-");
    if (!/^\d{1,6}$/.test(first) || !/^\d{1,6}$/.test(last)) continue;
    for (let position = Number(first); position <= Number(last) && position < points; position++)
      yield position;
  }
}
