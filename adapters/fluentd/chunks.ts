// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { PurserError, type RefusedInstance } from "../../plugins/sdk/index.ts";
import type { Codec } from "./codec.ts";
import type { Event } from "./events.ts";

/** One message of the protocol: events of one tag, under an id that stays the same for each try. */
export interface Chunk {
  readonly id: string;
  readonly message: Uint8Array;
  /** Whether it has arrived, in this try or an earlier one. */
  arrived: boolean;
}

export interface ChunkOptions {
  readonly maxChunkBytes: number;
  readonly gzip: boolean;
  readonly ack: boolean;
}

/** A batch as messages. */
export interface PreparedBatch {
  readonly chunks: readonly Chunk[];
  /** Instances that no message can hold. */
  readonly refused: readonly RefusedInstance[];
}

/** 128 bits: ids of different chunks are practically never equal. */
const ID_BYTES = 16;

interface Group {
  readonly tag: string;
  readonly events: Uint8Array[];
  bytes: number;
}

/** PackedForward messages of at most `maxChunkBytes` of events each, in the order of the events; one tag each. */
export async function chunksOf(
  events: readonly Event[],
  codec: Codec,
  options: ChunkOptions,
): Promise<PreparedBatch> {
  const { maxChunkBytes } = options;
  const refused: RefusedInstance[] = [];
  const groups: Group[] = [];
  const filling = new Map<string, Group>();
  for (const [index, { tag, timeMs, record }] of events.entries()) {
    const bytes = codec.encodeEvent(timeMs, record);
    if (bytes.length > maxChunkBytes) {
      const message = `an event takes ${bytes.length} bytes, more than the ${maxChunkBytes} of maxChunkBytes`;
      refused.push({ index, error: new PurserError("PURSER_REQUEST_TOO_LARGE", message) });
      continue;
    }
    let group = filling.get(tag);
    if (group === undefined || group.bytes + bytes.length > maxChunkBytes) {
      group = { tag, events: [], bytes: 0 };
      groups.push(group);
      filling.set(tag, group);
    }
    group.events.push(bytes);
    group.bytes += bytes.length;
  }
  return { chunks: await Promise.all(groups.map((group) => toChunk(group, codec, options))), refused };
}

async function toChunk(group: Group, codec: Codec, { gzip, ack }: ChunkOptions): Promise<Chunk> {
  const id = randomBytes(ID_BYTES).toString("base64");
  const packed = Buffer.concat(group.events);
  const option = {
    size: group.events.length,
    ...(ack ? { chunk: id } : {}),
    ...(gzip ? { compressed: "gzip" } : {}),
  };
  const bytes = gzip ? await compress(packed) : packed;
  return { id, message: codec.encode([group.tag, bytes, option]), arrived: false };
}

async function compress(bytes: Uint8Array): Promise<Uint8Array> {
  const zlib = await import("node:zlib");
  return promisify(zlib.gzip)(bytes);
}
