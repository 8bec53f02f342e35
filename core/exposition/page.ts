// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ExposedFamily } from "./family.ts";
import type { ExpositionFormat } from "./formats.ts";
import { ProtobufEncoder } from "./protobuf-encoder.ts";
import { OPEN_METRICS_END, openMetrics, TEXT, textHead, textOf } from "./text-encoder.ts";

/** A part of a page; undefined: nothing yet, so that the caller can let others run. */
export type PagePart = string | Uint8Array | undefined;

/** Length of a part, in bytes or UTF-16 units. Parts are sent one by one, and a series takes about 100. */
const PART_LENGTH = 16_384;

/** Writes families in a format, in parts that take well below a millisecond each. */
export function pageOf(families: readonly ExposedFamily[], format: ExpositionFormat): Iterable<PagePart> {
  return format === "protobuf" ? protobufPage(families) : textPage(families, format);
}

function* textPage(families: readonly ExposedFamily[], format: "text" | "openmetrics"): Generator<PagePart> {
  const dialect = format === "text" ? TEXT : openMetrics(new Set(families.map(({ name }) => name)));
  let text = "";
  for (const family of families) {
    text += textHead(family, dialect);
    for (const series of family.series) {
      text += textOf(family, series, dialect);
      if (text.length < PART_LENGTH) continue;
      yield text;
      text = "";
    }
  }
  yield dialect.openMetrics ? text + OPEN_METRICS_END : text;
}

/** A family is one message that begins with its length: its series are kept until all are encoded. */
function* protobufPage(families: readonly ExposedFamily[]): Generator<PagePart> {
  const encoder = new ProtobufEncoder();
  for (const family of families) {
    const parts: Uint8Array[] = [];
    for (const series of family.series) {
      encoder.add(family, series);
      if (encoder.length < PART_LENGTH) continue;
      parts.push(encoder.take());
      yield;
    }
    if (encoder.length > 0) parts.push(encoder.take());
    // A family without series is not valid in this format.
    if (parts.length === 0) continue;
    yield encoder.head(
      family,
      parts.reduce((sum, { length }) => sum + length, 0),
    );
    yield* parts;
  }
}
