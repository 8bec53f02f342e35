// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { canonicalAddress } from "../../../kernel/matching/ip-address.ts";
import { type ConnectionEnd, headerFault, MORE, type ProxyHeaderResult } from "./header-result.ts";

export const SIGNATURE = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
const FIXED_BYTES = 16;

/** The longest header that is read; the format allows 64 KiB, and real headers have a few hundred bytes. */
const MAX_BYTES = 4_096;

const VERSION = 0x20;
export const LOCAL = 0x20;
export const PROXY = 0x21;

/** Families and transports: stream sockets of IPv4 and IPv6. */
export const TCP4 = 0x11;
export const TCP6 = 0x21;

/** Reads a binary header. Extensions (TLVs) behind the addresses are skipped. */
export function readHeaderV2(bytes: Buffer): ProxyHeaderResult {
  const known = Math.min(bytes.byteLength, SIGNATURE.byteLength);
  if (bytes.compare(SIGNATURE, 0, known, 0, known) !== 0) return headerFault("no PROXY protocol header");
  if (bytes.byteLength < FIXED_BYTES) return MORE;
  const command = bytes[12] as number;
  if ((command & 0xf0) !== VERSION) return headerFault("unknown version of the PROXY protocol");
  if (command !== LOCAL && command !== PROXY) return headerFault("unknown command");
  const length = FIXED_BYTES + bytes.readUInt16BE(14);
  if (length > MAX_BYTES) return headerFault("the header is too long");
  if (bytes.byteLength < length) return MORE;
  if (command === LOCAL) return { kind: "header", header: { length, ends: undefined } };
  const family = bytes[13];
  // The receiver uses the connection's own addresses for what it does not know: datagrams, sockets in files.
  if (family !== TCP4 && family !== TCP6) return { kind: "header", header: { length, ends: undefined } };
  const addressBytes = family === TCP4 ? 4 : 16;
  const blockBytes = 2 * addressBytes + 4;
  if (length < FIXED_BYTES + blockBytes) return headerFault("the addresses are cut off");
  const block = bytes.subarray(FIXED_BYTES, FIXED_BYTES + blockBytes);
  const ends = {
    source: endOf(block.subarray(0, addressBytes), block.readUInt16BE(2 * addressBytes)),
    destination: endOf(
      block.subarray(addressBytes, 2 * addressBytes),
      block.readUInt16BE(2 * addressBytes + 2),
    ),
  };
  return { kind: "header", header: { length, ends } };
}

function endOf(address: Buffer, port: number): ConnectionEnd {
  const text =
    address.byteLength === 4
      ? address.join(".")
      : Array.from({ length: 8 }, (_, group) => address.readUInt16BE(2 * group).toString(16)).join(":");
  return { ip: canonicalAddress(text) as string, port };
}
