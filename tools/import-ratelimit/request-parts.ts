// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { literal } from "./entry.ts";
import type { YamlPart } from "./yaml-part.ts";

/** Attributes of the headers by which Envoy names parts of the request line. */
const PSEUDO_HEADERS: Readonly<Record<string, string>> = {
  ":path": "request.path",
  ":method": "request.method",
  ":scheme": "request.scheme",
  ":authority": "request.host",
  host: "request.host",
};

/** The attribute of a header; undefined, with a fault, for a pseudo-header that has none. */
export function headerAttribute(name: string, part: YamlPart): string | undefined {
  const lowerCase = name.toLowerCase();
  const pseudo = Object.hasOwn(PSEUDO_HEADERS, lowerCase) ? PSEUDO_HEADERS[lowerCase] : undefined;
  if (pseudo !== undefined) {
    if (pseudo === "request.host")
      part.warn(`${name} becomes request.host, which has no port and is in lower case`);
    return pseudo;
  }
  if (!lowerCase.startsWith(":")) return `request.headers.${literal(lowerCase)}`;
  part.unsupported(`the header ${name} has no attribute`);
  return undefined;
}

export function queryAttribute(name: string): string {
  return `request.query_params.${literal(name)}`;
}

/**
 * The network of an address as Envoy writes it, `10.1.0.0/16`, with as many leading bits of an IPv4 address. An
 * IPv6 address keeps all its 128 bits.
 */
export function maskedAddress(address: string, v4Bits: number): string {
  const octets = `$split(${address}, ".")`;
  const parts = [0, 1, 2, 3].map((index) => {
    const bits = Math.min(8, Math.max(0, v4Bits - 8 * index));
    if (bits === 8) return `${octets}[${index}]`;
    if (bits === 0) return '"0"';
    const step = 2 ** (8 - bits);
    return `$string($floor($number(${octets}[${index}]) / ${step}) * ${step})`;
  });
  const v4 = `${parts.join(' & "." & ')} & "/${v4Bits}"`;
  return `($contains(${address}, ":") ? ${address} & "/128" : ${v4})`;
}
