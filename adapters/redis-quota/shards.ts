// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { crc32 } from "node:zlib";
import { SLOTS, slotOf } from "./cluster/key-slot.ts";

/** A part of all counts: their keys have one hash tag, so that one run of the script can charge them together. */
export interface Shard {
  readonly keyPrefix: string;
  /** The hash slot of the keys. */
  readonly slot: number;
}

/** The shard of the prefix's own hash tag. */
export function wholeShard(keyPrefix: string): Shard {
  const [, tag] = keyPrefix.split(/[{}]/) as [string, string];
  return { keyPrefix, slot: slotOf(tag) };
}

/**
 * The shards of a prefix. One shard has the prefix's own hash tag. Of several, shard i has a hash tag made of the
 * prefix's and a number, the first whose slot is in the i-th part of all slots: clusters give their primaries
 * ranges of slots, so that every primary gets an equal number of shards, whatever the prefix.
 *
 * @param keyPrefix Has one hash tag, see CONFIG.
 */
export function createShards(keyPrefix: string, count: number): readonly Shard[] {
  if (count === 1) return [wholeShard(keyPrefix)];
  const [start, tag, end] = keyPrefix.split(/[{}]/) as [string, string, string];
  const shards: Shard[] = [];
  let missing = count;
  for (let number = 1; missing > 0; number++) {
    const numbered = `${tag}.${number}`;
    const slot = slotOf(numbered);
    const index = Math.floor((slot * count) / SLOTS);
    if (shards[index] !== undefined) continue;
    shards[index] = { keyPrefix: `${start}{${numbered}}${end}`, slot };
    missing--;
  }
  return shards;
}

/**
 * The shard of a count, by CRC-32 of its key's values: quotas of different policies for the same user share a shard, so
 * that they are charged together in one run of the script. A count of a policy without a key goes by the policy, so that
 * such counts are spread too.
 */
export function shardOf(cell: string, count: number): number {
  if (count === 1) return 0;
  const values = cell.indexOf("{");
  const name = values === -1 || cell.endsWith("{}") ? cell : cell.slice(values);
  return crc32(name) % count;
}
