// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Records of a segment: after the segment's magic bytes, each has a header of 8 bytes (length and CRC-32 of the payload, both
 * little-endian) and the payload.
 */

/** "PSPOOL1\n": the form of the file, and its version. */
export const SEGMENT_MAGIC: Uint8Array = Uint8Array.of(0x50, 0x53, 0x50, 0x4f, 0x4f, 0x4c, 0x31, 0x0a);

export const RECORD_HEADER_BYTES = 8;

/** Maximum payload of a record, in bytes; no payload is empty. Another length in a file means damage. */
export const MAX_RECORD_BYTES: number = 16 * 1024 * 1024;

type Checksum = (bytes: Uint8Array) => number;

/** The payloads as records, in one array. */
export function framed(payloads: readonly Uint8Array[], checksum: Checksum): Uint8Array {
  let length = 0;
  for (const payload of payloads) length += RECORD_HEADER_BYTES + payload.length;
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const payload of payloads) {
    view.setUint32(at, payload.length, true);
    view.setUint32(at + 4, checksum(payload), true);
    bytes.set(payload, at + RECORD_HEADER_BYTES);
    at += RECORD_HEADER_BYTES + payload.length;
  }
  return bytes;
}

/** One record of a segment, or its damage. */
export type ReadRecord =
  | { readonly kind: "record"; readonly payload: Uint8Array; readonly end: number }
  /** The payload does not have its checksum; the next record begins at `end`. */
  | { readonly kind: "damaged"; readonly end: number }
  /** The bytes end before the record does: more must be read, or the file is cut off. */
  | { readonly kind: "short"; readonly needed: number }
  /** The length cannot be right, or is 0, as in the zeros that a power failure leaves: nothing after it can be read. */
  | { readonly kind: "lost" };

export function readRecord(bytes: Uint8Array, at: number, checksum: Checksum): ReadRecord {
  if (at + RECORD_HEADER_BYTES > bytes.length) return { kind: "short", needed: RECORD_HEADER_BYTES };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(at, true);
  if (length === 0 || length > MAX_RECORD_BYTES) return { kind: "lost" };
  const end = at + RECORD_HEADER_BYTES + length;
  if (end > bytes.length) return { kind: "short", needed: RECORD_HEADER_BYTES + length };
  const payload = bytes.subarray(at + RECORD_HEADER_BYTES, end);
  return checksum(payload) === view.getUint32(at + 4, true)
    ? { kind: "record", payload, end }
    : { kind: "damaged", end };
}
