// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Entry } from "./push.ts";
import { nanoseconds } from "./timestamp.ts";

/**
 * Loki takes the good entries of a request that it answers with 400, and its message names the others. The texts are those of
 * grafana/loki: pkg/validation/validate.go, pkg/ingester/stream.go, pkg/chunkenc/interface.go.
 */

/** Longest part of a message that is read, in characters; Loki names 10 entries by default. */
const MAX_MESSAGE = 64 * 1024;

/** `entry with timestamp 2026-10-07 01:35:32.405 +0000 UTC ignored, reason: …` */
const IGNORED =
  /entry with timestamp (\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))? ([+-]\d{2})(\d{2}) [^\n]{0,40}ignored/g;

/** `… oldest acceptable timestamp is: 2026-10-07T03:23:59Z` */
const OLDEST = /oldest acceptable timestamp is: ([0-9T:Z+.-]{20,35})/;

/** `entry for stream '{…}' has timestamp too new: 2026-10-07T03:23:59Z` */
const TOO_NEW = /has timestamp too new: ([0-9T:Z+.-]{20,35})/;

/** `total ignored: 3 out of 10 for stream: {a="1", b="2"}` */
const TOTAL = /total ignored: (\d{1,9}) out of \d{1,9}(?: for stream: (\{[^\n]*\}))?/;

/** Messages about entries whose times Loki does not take. */
const ABOUT_TIME = /too far behind|out of order|timestamp too (?:old|new)/;

/**
 * The entries that Loki did not take, from the message of a 400.
 *
 * @returns All entries when the message does not tell; undefined when it is not about the entries' times.
 */
export function refusedEntries(text: string, entries: readonly Entry[]): readonly Entry[] | undefined {
  const message = text.slice(0, MAX_MESSAGE);
  if (!ABOUT_TIME.test(message)) return undefined;
  const [, total, stream] = TOTAL.exec(message) ?? [];
  const inStream = entries.filter((entry) => stream === undefined || entry.stream.text === stream);
  const candidates = inStream.length > 0 ? inStream : entries;
  const named = new Set([...message.matchAll(IGNORED)].flatMap((match) => namedTime(match) ?? []));
  const oldestMs = timeOf(OLDEST.exec(message)?.[1]) ?? Number.NEGATIVE_INFINITY;
  // Loki cuts the time that it names to seconds.
  const newestMs = timeOf(TOO_NEW.exec(message)?.[1]) ?? Number.POSITIVE_INFINITY;
  const found = candidates.filter(
    ({ timeMs }) => timeMs < oldestMs || timeMs >= newestMs || named.has(nanoseconds(timeMs)),
  );
  // A list that was cut short names some entries only.
  const isComplete = found.length > 0 && (total === undefined || found.length >= Number(total));
  return isComplete ? found : candidates;
}

/** The named time in nanoseconds, as `nanoseconds` writes it. */
function namedTime([, day, clock, fraction = "", hours, minutes]: RegExpExecArray): string | undefined {
  const ms = timeOf(`${day}T${clock}${hours}:${minutes}`);
  return ms === undefined ? undefined : `${ms / 1000}${fraction.padEnd(9, "0")}`;
}

function timeOf(text: string | undefined): number | undefined {
  const ms = Date.parse(text ?? "");
  return Number.isNaN(ms) ? undefined : ms;
}
