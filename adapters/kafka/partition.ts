// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { KafkaRecord } from "./driver.ts";

/**
 * The partition of a key, as Kafka's Java client and librdkafka's `murmur2_random` choose it: murmur2 of the key's bytes without
 * its sign, modulo the number of partitions. Consumers that join topics by partition rely on it.
 */
export function partitionOfKey(key: string, partitions: number): number {
  return (murmur2(Buffer.from(key)) & 0x7f_ff_ff_ff) % partitions;
}

/** Chooses partitions. Remembers those of records without a key, so that a repetition goes to the same one. */
export class Partitioner {
  readonly #random: () => number;
  readonly #chosen = new WeakMap<KafkaRecord, number>();

  constructor(random: () => number) {
    this.#random = random;
  }

  /**
   * The partition of each record. Records without a key that come together go to one partition, chosen at random: a request to
   * each partition would cost more than an uneven moment.
   */
  assign(records: readonly KafkaRecord[], partitions: number): readonly number[] {
    const shared = Math.floor(this.#random() * partitions);
    return records.map((record) => {
      if (record.key !== undefined) return partitionOfKey(record.key, partitions);
      const partition = this.#chosen.get(record) ?? shared;
      this.#chosen.set(record, partition);
      return partition;
    });
  }
}

const SEED = 0x97_47_b2_8c;
const M = 0x5b_d1_e9_95;
const R = 24;

/** MurmurHash2, 32 bits, with the seed of Kafka's `Utils.murmur2`. */
function murmur2(bytes: Buffer): number {
  const { length } = bytes;
  let hash = SEED ^ length;
  const whole = length - (length % 4);
  for (let at = 0; at < whole; at += 4) {
    let word = Math.imul(bytes.readInt32LE(at), M);
    word ^= word >>> R;
    hash = Math.imul(hash, M) ^ Math.imul(word, M);
  }
  if (whole < length) {
    for (let at = length - 1; at >= whole; at--) hash ^= (bytes[at] as number) << (8 * (at - whole));
    hash = Math.imul(hash, M);
  }
  hash ^= hash >>> 13;
  hash = Math.imul(hash, M);
  return hash ^ (hash >>> 15);
}
