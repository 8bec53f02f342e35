// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { isIPv4 } from "node:net";
import ipaddr from "ipaddr.js";

import type { ProxiedEnds } from "../contract/connection.ts";
import { LOCAL, PROXY, SIGNATURE, TCP4, TCP6 } from "./header-v2.ts";

/**
 * The header of the PROXY protocol with which a connection to an upstream begins (haproxy's proxy-protocol.txt, sections
 * 2.1 and 2.2).
 *
 * @param ends The client's connection, addresses in canonical form. Undefined, or without addresses: the proxy speaks for
 * itself, which is UNKNOWN in version 1 and LOCAL in version 2.
 */
export function writeProxyHeader(version: 1 | 2, ends: ProxiedEnds | undefined): Buffer {
  const known = ends === undefined || ends.remoteIp === "" || ends.localIp === "" ? undefined : ends;
  return version === 1 ? headerV1(known) : headerV2(known);
}

/** Addresses of different families are both written as IPv6, the IPv4 one as IPv4-mapped (RFC 4291, section 2.5.5.2). */
function isVersion4({ remoteIp, localIp }: ProxiedEnds): boolean {
  return isIPv4(remoteIp) && isIPv4(localIp);
}

function headerV1(ends: ProxiedEnds | undefined): Buffer {
  if (ends === undefined) return Buffer.from("PROXY UNKNOWN\r\n", "latin1");
  const { remoteIp, localIp, remotePort, localPort } = ends;
  const v4 = isVersion4(ends);
  const text = (ip: string): string => (!v4 && isIPv4(ip) ? `::ffff:${ip}` : ip);
  const family = v4 ? "TCP4" : "TCP6";
  return Buffer.from(
    `PROXY ${family} ${text(remoteIp)} ${text(localIp)} ${remotePort} ${localPort}\r\n`,
    "latin1",
  );
}

function headerV2(ends: ProxiedEnds | undefined): Buffer {
  if (ends === undefined) return Buffer.concat([SIGNATURE, Buffer.from([LOCAL, 0, 0, 0])]);
  const v4 = isVersion4(ends);
  const addresses = Buffer.concat([bytesOf(ends.remoteIp, v4), bytesOf(ends.localIp, v4), Buffer.alloc(4)]);
  addresses.writeUInt16BE(ends.remotePort, addresses.byteLength - 4);
  addresses.writeUInt16BE(ends.localPort, addresses.byteLength - 2);
  const head = Buffer.from([PROXY, v4 ? TCP4 : TCP6, 0, addresses.byteLength]);
  return Buffer.concat([SIGNATURE, head, addresses]);
}

function bytesOf(ip: string, v4: boolean): Buffer {
  const parsed = ipaddr.parse(ip);
  const isMapped = !v4 && parsed.kind() === "ipv4";
  return Buffer.from((isMapped ? (parsed as ipaddr.IPv4).toIPv4MappedAddress() : parsed).toByteArray());
}
