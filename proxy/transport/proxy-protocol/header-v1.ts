// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { isIPv4, isIPv6 } from "node:net";

import { canonicalAddress } from "../../../kernel/matching/ip-address.ts";
import { type ConnectionEnd, headerFault, MORE, type ProxyHeaderResult } from "./header-result.ts";

/** The longest header, with its line end. */
const MAX_BYTES = 107;
const PREFIX = "PROXY ";
const PORT = /^(?:0|[1-9]\d{0,4})$/;

/** Reads `PROXY TCP4 SOURCE DESTINATION PORT PORT`, ended by CRLF. */
export function readHeaderV1(bytes: Buffer): ProxyHeaderResult {
  const text = bytes.toString("latin1", 0, MAX_BYTES);
  if (!text.startsWith(PREFIX.slice(0, text.length))) return headerFault("no PROXY protocol header");
  const end = text.indexOf("\r\n");
  if (end < 0) return text.length < MAX_BYTES ? MORE : headerFault("the header has no line end");
  const length = end + 2;
  const [, family, source, destination, sourcePort, destinationPort, ...rest] = text.slice(0, end).split(" ");
  // The receiver must ignore whatever follows UNKNOWN.
  if (family === "UNKNOWN") return { kind: "header", header: { length, ends: undefined } };
  if (family !== "TCP4" && family !== "TCP6") return headerFault("unknown family of addresses");
  const isAddress = family === "TCP4" ? isIPv4 : isIPv6;
  const from = endOf(source, sourcePort, isAddress);
  const to = endOf(destination, destinationPort, isAddress);
  if (from === undefined || to === undefined || rest.length > 0)
    return headerFault("invalid addresses or ports");
  return { kind: "header", header: { length, ends: { source: from, destination: to } } };
}

function endOf(
  address: string | undefined,
  port: string | undefined,
  isAddress: (text: string) => boolean,
): ConnectionEnd | undefined {
  if (
    address === undefined ||
    port === undefined ||
    !isAddress(address) ||
    address.includes("%") ||
    !PORT.test(port)
  )
    return undefined;
  const ip = canonicalAddress(address);
  return ip === undefined || Number(port) > 65_535 ? undefined : { ip, port: Number(port) };
}
