// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { isIPv4, isIPv6 } from "node:net";

/** A network node of a span. */
export interface Endpoint {
  readonly serviceName?: string;
  readonly ipv4?: string;
  readonly ipv6?: string;
  readonly port?: number;
}

/** The longest address with a port: an IPv6 address in brackets, a colon and five digits. */
const MAX_ADDRESS_LENGTH = 64;

/** @param address `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1` or `[2001:db8::1]:80`; other texts are ignored. */
export function endpointOf(
  serviceName: string | undefined,
  address: string | undefined,
): Endpoint | undefined {
  const place = address === undefined || address.length > MAX_ADDRESS_LENGTH ? undefined : placeOf(address);
  if (serviceName === undefined || serviceName === "") return place;
  return { serviceName, ...place };
}

function placeOf(text: string): Endpoint | undefined {
  if (isIPv6(text)) return { ipv6: text };
  const [, inBrackets, plain, digits] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const port = Number(digits ?? 0);
  const withPort = port > 0 && port <= 65_535 ? { port } : {};
  if (plain !== undefined && isIPv4(plain)) return { ipv4: plain, ...withPort };
  return inBrackets !== undefined && isIPv6(inBrackets) ? { ipv6: inBrackets, ...withPort } : undefined;
}
