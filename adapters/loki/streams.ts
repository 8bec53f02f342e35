// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { cutText, labelName, labelsText, MAX_VALUE_BYTES } from "./labels.ts";
import { type Members, textAt } from "./line.ts";
import type { LokiConfig } from "./config.ts";

export interface Stream {
  /** As in Loki's messages; identifies the stream. */
  readonly text: string;
  /** JSON of the labels. */
  readonly json: string;
}

/** Time after which streams no longer count, in milliseconds. Loki ends an idle stream after 30 minutes. */
const COUNTED_MS = 3_600_000;

/** Chooses the stream of an entry by its labels, with a bound on the number of streams. */
export class Streams {
  readonly #static: Readonly<Record<string, string>>;
  readonly #sources: readonly (readonly [name: string, source: string])[];
  readonly #maxStreams: number;
  readonly #monotonicMs: () => number;
  readonly #known = new Map<string, Stream>();
  #countedSinceMs: number | undefined;

  constructor(
    { labels, labelsFrom, maxStreams }: Pick<LokiConfig, "labels" | "labelsFrom" | "maxStreams">,
    monotonicMs: () => number,
  ) {
    this.#static = Object.fromEntries(
      Object.entries(labels).flatMap(([name, value]) =>
        value === "" ? [] : [[labelName(name), cutText(value, MAX_VALUE_BYTES)]],
      ),
    );
    this.#sources = Object.entries(labelsFrom).map(([name, source]) => [labelName(name), source]);
    this.#maxStreams = maxStreams;
    this.#monotonicMs = monotonicMs;
  }

  of(members: Members): Stream {
    this.#expire();
    const labels = { ...this.#static };
    for (const [name, source] of this.#sources) {
      const value = textAt(members, source);
      if (value !== undefined) labels[name] = cutText(value, MAX_VALUE_BYTES);
    }
    const text = labelsText(labels);
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    if (this.#known.size >= this.#maxStreams)
      return { text: labelsText(this.#static), json: JSON.stringify(this.#static) };
    const stream = { text, json: JSON.stringify(labels) };
    this.#known.set(text, stream);
    return stream;
  }

  #expire(): void {
    const nowMs = this.#monotonicMs();
    this.#countedSinceMs ??= nowMs;
    if (nowMs - this.#countedSinceMs < COUNTED_MS) return;
    this.#known.clear();
    this.#countedSinceMs = nowMs;
  }
}
