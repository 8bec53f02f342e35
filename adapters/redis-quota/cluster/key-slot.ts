// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** The number of hash slots of a Redis Cluster. */
export const SLOTS = 16_384;

/**
 * The hash slot of a hash tag: CRC16 of its UTF-8 bytes modulo 16384, as the cluster specification defines it
 * (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/, polynomial 0x1021, initial
 * value 0, not reflected).
 */
export function slotOf(tag: string): number {
  let crc = 0;
  for (const byte of new TextEncoder().encode(tag)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = ((crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021) & 0xffff;
  }
  return crc % SLOTS;
}
