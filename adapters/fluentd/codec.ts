// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Socket } from "node:net";

/** Extension type of EventTime, from the Forward protocol's specification v1. */
const EVENT_TIME_TYPE = 0;

/** Maximum size of what a server says at once, in bytes; a handshake takes some 200, an acknowledgement 40. */
const MAX_MESSAGE_BYTES = 65_536;

/** MessagePack, loaded at first use. */
export interface Codec {
  encode(value: unknown): Uint8Array;
  /** An event of PackedForward: `[time, record]`. */
  encodeEvent(timeMs: number, record: unknown): Uint8Array;
  /** The values that the socket brings; texts are bytes, since a nonce need not be UTF-8. Ends by throwing on malformed or endless ones. */
  values(socket: Socket): AsyncIterable<unknown>;
}

export async function loadCodec(): Promise<Codec> {
  const { decodeMultiStream, Encoder, ExtData } = await import("@msgpack/msgpack");
  const encoder = new Encoder();
  return {
    encode: (value) => encoder.encode(value),
    encodeEvent: (timeMs, record) =>
      encoder.encode([new ExtData(EVENT_TIME_TYPE, eventTime(timeMs)), record]),
    async *values(socket) {
      let bytes = 0;
      const bounded = async function* (): AsyncGenerator<Buffer> {
        for await (const chunk of socket as AsyncIterable<Buffer>) {
          bytes += chunk.length;
          if (bytes > MAX_MESSAGE_BYTES) throw new Error(`a message of more than ${MAX_MESSAGE_BYTES} bytes`);
          yield chunk;
        }
      };
      for await (const value of decodeMultiStream<undefined>(bounded(), { rawStrings: true })) {
        bytes = 0;
        yield value;
      }
    },
  };
}

const MAX_SECONDS = 2 ** 32 - 1;

/**
 * Seconds and nanoseconds since the epoch, as two unsigned numbers of 32 bits. An invalid time becomes the epoch, and one that the form
 * cannot hold the nearest.
 */
export function eventTime(timeMs: number): Uint8Array {
  const boundedMs = Number.isFinite(timeMs) ? Math.min(Math.max(timeMs, 0), MAX_SECONDS * 1000) : 0;
  const seconds = Math.floor(boundedMs / 1000);
  // Whole microseconds: a number of milliseconds since the epoch is no more exact.
  const nanoseconds = Math.min(Math.round((boundedMs - seconds * 1000) * 1000) * 1000, 999_999_000);
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(seconds, 0);
  bytes.writeUInt32BE(nanoseconds, 4);
  return bytes;
}
