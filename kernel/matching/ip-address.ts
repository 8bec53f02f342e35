// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import ipaddr from "ipaddr.js";

/** Fast path: IPv4 in four decimal parts without leading zeros, which is canonical already. */
const CANONICAL_V4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
/** IPv4 with a port, as Azure's gateways write it: `203.0.113.5:4711`. */
const V4_WITH_PORT = /^([\d.]+):\d{1,5}$/;
/** IPv6 in brackets, with or without a port: `[2001:db8::1]:443`. */
const BRACKETED = /^\[([^\]]*)\](?::\d{1,5})?$/;
/** IPv6 whose last two groups are written as IPv4. */
const DOTTED_TAIL = /^(.*:)([\d.]+)$/;

/**
 * The canonical text of an IP address: IPv4 in four decimal parts, IPv6 as RFC 5952 writes it, an IPv4-mapped
 * IPv6 address (RFC 4291, 2.5.5.2) as the IPv4 address. Ports, brackets and IPv6 zones are removed. Octal,
 * hexadecimal and short forms of IPv4 are not accepted, because parsers disagree about them.
 *
 * @returns undefined for text that is not an address.
 */
export function canonicalAddress(text: string): string | undefined {
  if (CANONICAL_V4.test(text)) return text;
  const bare = V4_WITH_PORT.exec(text)?.[1] ?? BRACKETED.exec(text)?.[1] ?? text;
  if (!bare.includes(":")) return CANONICAL_V4.test(bare) ? bare : undefined;
  const zone = bare.indexOf("%");
  const address = hexadecimal(zone < 0 ? bare : bare.slice(0, zone));
  if (address === undefined || !ipaddr.IPv6.isValid(address)) return undefined;
  const parsed = ipaddr.IPv6.parse(address);
  return parsed.isIPv4MappedAddress() ? parsed.toIPv4Address().toString() : parsed.toRFC5952String();
}

/** Rewrites a dotted tail as two groups: ipaddr.js misreads it after any prefix but `::ffff:`. */
function hexadecimal(text: string): string | undefined {
  const [, head, tail] = DOTTED_TAIL.exec(text) ?? [];
  if (head === undefined || tail === undefined || !tail.includes(".")) return text;
  if (!CANONICAL_V4.test(tail)) return undefined;
  const [a, b, c, d] = tail.split(".").map(Number) as [number, number, number, number];
  return `${head}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}
