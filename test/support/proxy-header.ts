// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { isIPv4, isIPv6 } from "node:net";

import type { ConnectionEnd } from "../../proxy/transport/proxy-protocol/header-result.ts";

export const PROXY_PROTOCOL_VERSIONS = ["v1", "v2"] as const;
export type ProxyProtocolVersion = (typeof PROXY_PROTOCOL_VERSIONS)[number];

/** The header for a connection from `source` to `destination`: without addresses when these are of different families. */
export function proxyHeaderOf(
  version: ProxyProtocolVersion,
  source: ConnectionEnd,
  destination: ConnectionEnd,
): Buffer {
  const family = familyOf(source, destination);
  return version === "v1" ? headerV1(family, source, destination) : headerV2(family, source, destination);
}

type Family = 4 | 6 | undefined;

function familyOf(source: ConnectionEnd, destination: ConnectionEnd): Family {
  if (isIPv4(source.ip) && isIPv4(destination.ip)) return 4;
  return isIPv6(source.ip) && isIPv6(destination.ip) ? 6 : undefined;
}

function headerV1(family: Family, source: ConnectionEnd, destination: ConnectionEnd): Buffer {
  const rest =
    family === undefined
      ? "UNKNOWN"
      : `TCP${family} ${source.ip} ${destination.ip} ${source.port} ${destination.port}`;
  return Buffer.from(`PROXY ${rest}\r\n`, "latin1");
}

function headerV2(family: Family, source: ConnectionEnd, destination: ConnectionEnd): Buffer {
  const addresses =
    family === undefined ? [] : [...bytesOf(source.ip, family), ...bytesOf(destination.ip, family)];
  const ports =
    family === undefined ? [] : [source.port, destination.port].flatMap((port) => [port >> 8, port & 0xff]);
  const block = [...addresses, ...ports];
  // LOCAL, family unspecified, without addresses.
  const kind = family === undefined ? [0x20, 0x00] : [0x21, family === 4 ? 0x11 : 0x21];
  return Buffer.concat([
    Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1"),
    Buffer.from([...kind, block.length >> 8, block.length & 0xff, ...block]),
  ]);
}

function bytesOf(ip: string, family: 4 | 6): readonly number[] {
  if (family === 4) return ip.split(".").map(Number);
  const [head = "", tail] = ip.split("::");
  const groups = (text: string | undefined): readonly string[] =>
    text === undefined || text === "" ? [] : text.split(":");
  const [before, after] = [groups(head), groups(tail)];
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  return [...before, ...Array.from({ length: zeros }, () => "0"), ...after].flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}
