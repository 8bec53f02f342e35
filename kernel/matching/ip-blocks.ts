// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import ipaddr from "ipaddr.js";
import { canonicalAddress } from "./ip-address.ts";

/** A CIDR block: the addresses whose first `prefixBits` bits equal those of `bytes`. */
export interface Block {
  readonly bytes: readonly number[];
  readonly prefixBits: number;
}

/**
 * IPv4 in four decimal parts, or IPv6; not the octal, hexadecimal and short forms that parsers disagree
 * about. IPv6 may have dots only as RFC 5952 (section 5) writes IPv4-mapped addresses: ipaddr.js reads every
 * other dotted form as IPv4-mapped too.
 */
export function isAddress(text: string): boolean {
  if (!text.includes(":")) return ipaddr.IPv4.isValidFourPartDecimal(text);
  if (text.includes(".") && !/^::ffff:[0-9.]+$/i.test(text)) return false;
  return ipaddr.IPv6.isValid(text);
}

/**
 * Parses an address or `address/bits`. Bits beyond the prefix are ignored, as in Go's net.ParseCIDR and in
 * Mixer's list adapter.
 *
 * @throws Error whose message says what is wrong.
 */
export function parseBlock(text: string): Block {
  const [address = "", prefix, more] = text.split("/");
  if (more !== undefined || !isAddress(address)) throw new Error("is not an IP address or a CIDR block");
  const bytes = ipaddr.parse(address).toByteArray();
  const width = bytes.length * 8;
  if (prefix === undefined) return unmap({ bytes, prefixBits: width });
  if (!/^[0-9]{1,3}$/.test(prefix) || Number(prefix) > width) {
    throw new Error(`has the prefix length "${prefix}", which is not a number from 0 to ${width}`);
  }
  return unmap({ bytes, prefixBits: Number(prefix) });
}

const V4_MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff] as const;
const V4_MAPPED_BITS = V4_MAPPED.length * 8;

/**
 * Turns an IPv4-mapped IPv6 block (RFC 4291, 2.5.5.2) into the IPv4 block, so that it matches however the
 * socket wrote the peer.
 */
function unmap(block: Block): Block {
  const mapped =
    block.prefixBits >= V4_MAPPED_BITS && V4_MAPPED.every((byte, index) => block.bytes[index] === byte);
  if (block.bytes.length === 4 || !mapped) return block;
  return { bytes: block.bytes.slice(V4_MAPPED.length), prefixBits: block.prefixBits - V4_MAPPED_BITS };
}

export interface AddressSet {
  /** Takes an address in any spelling (ip-address.ts); false for text that is not an address. */
  has(address: string): boolean;
}

/**
 * Blocks by family and prefix length: a look-up costs one probe for each prefix length in use (at most 33 for
 * IPv4, 129 for IPv6), however many blocks there are.
 */
export function createAddressSet(blocks: readonly Block[]): AddressSet {
  const families = { 4: new Map<number, Set<string>>(), 16: new Map<number, Set<string>>() };
  for (const { bytes, prefixBits } of blocks) {
    const byLength = families[bytes.length as 4 | 16];
    const keys = byLength.get(prefixBits) ?? new Set();
    byLength.set(prefixBits, keys.add(prefixKey(bytes, prefixBits)));
  }
  return {
    has(value) {
      const address = canonicalAddress(value);
      if (address === undefined) return false;
      const bytes = ipaddr.parse(address).toByteArray();
      for (const [prefixBits, keys] of families[bytes.length as 4 | 16]) {
        if (keys.has(prefixKey(bytes, prefixBits))) return true;
      }
      return false;
    },
  };
}

/** The first `prefixBits` bits, as a map key. */
function prefixKey(bytes: readonly number[], prefixBits: number): string {
  const whole = prefixBits >> 3;
  let key = "";
  for (let index = 0; index < whole; index++) key += String.fromCharCode(bytes[index] as number);
  const rest = prefixBits & 7;
  return rest === 0 ? key : key + String.fromCharCode((bytes[whole] as number) & (0xff << (8 - rest)) & 0xff);
}
