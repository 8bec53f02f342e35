// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Stream } from "./streams.ts";

/** An entry as it is written. */
export interface Entry {
  /** Position in the batch. */
  readonly index: number;
  readonly stream: Stream;
  readonly timeMs: number;
  /** `["NANOSECONDS","LINE"]`, with structured metadata as a third value. */
  readonly json: string;
}

export const FRAME = { before: '{"streams":[', after: "]}" };

/** Bytes that an entry takes at most: its stream may have no other entry. */
export function bytesOf({ stream, json }: Entry): number {
  return Buffer.byteLength(streamJson(stream, [json]));
}

/** A request's body: each stream once, its entries by time. Entries of one time stay in their order. */
export function pushBody(entries: readonly Entry[]): string {
  const streams = new Map<string, { readonly stream: Stream; readonly entries: Entry[] }>();
  for (const entry of entries) {
    const { stream } = entry;
    const group = streams.get(stream.text);
    if (group === undefined) streams.set(stream.text, { stream, entries: [entry] });
    else group.entries.push(entry);
  }
  const written = [...streams.values()].map(({ stream, entries: grouped }) =>
    streamJson(
      stream,
      grouped.toSorted((a, b) => a.timeMs - b.timeMs).map(({ json }) => json),
    ),
  );
  return `${FRAME.before}${written.join(",")}${FRAME.after}`;
}

function streamJson(stream: Stream, values: readonly string[]): string {
  return `{"stream":${stream.json},"values":[${values.join(",")}]}`;
}
