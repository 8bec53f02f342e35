// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** A message as a parser framed it. Texts have one character per byte. */
export interface FramedMessage {
  /** Method and target, or the status. */
  readonly start: string;
  readonly version: string;
  /** name, value, name, value … in the case in which they arrived. */
  readonly fields: readonly string[];
  readonly keepAlive: boolean;
  body: string;
  trailers: readonly string[];
  complete: boolean;
}

/** The messages of one connection's bytes, up to the end or the first fault. */
export interface Framing {
  readonly messages: FramedMessage[];
  /** The parser's fault. */
  fault: string | undefined;
}

/** The bytes of one direction of a connection. */
export interface FuzzCase {
  readonly kind: "request" | "response";
  /** One character per byte. */
  readonly text: string;
  /** For responses: the methods of the requests that they answer, in order; the last one repeats. */
  readonly methods: readonly string[];
  /** Offsets at which the bytes are split into chunks, in order. */
  readonly splits: readonly number[];
}

/** The chunks of a case; each is a copy, since the body reader moves bytes. */
export function chunksOf({ text, splits }: FuzzCase): Buffer[] {
  const chunks: Buffer[] = [];
  let start = 0;
  for (const end of [...splits, text.length]) {
    if (end > start) chunks.push(Buffer.from(text.slice(start, end), "latin1"));
    start = Math.max(start, end);
  }
  return chunks;
}
