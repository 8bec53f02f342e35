// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { canonicalAddress } from "../matching/ip-address.ts";
import { Malformed } from "./malformed.ts";

/** Host and port of a Host header, or of the authority in an absolute target. */
export interface Authority {
  /**
   * Lower case, without a final dot; an IPv6 address is in brackets. Empty when the authority names no host.
   */
  readonly host: string;
  /** undefined when the authority has no port. */
  readonly port: number | undefined;
}

const FORM = /^(\[[0-9a-f:.]+\]|[a-z0-9_.-]*)(?::(\d{0,5}))?$/;
/** Longest host name (RFC 1035, 2.3.4). */
const MAX_HOST_LENGTH = 253;
/**
 * Browsers read a name that ends in a number as IPv4 (WHATWG URL, "ends in a number"), in forms that differ.
 */
const ENDS_IN_A_NUMBER = /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/;

/**
 * Parses an authority into its canonical form (RFC 9110, 4.2.3: hosts are compared without case); IP
 * addresses are canonical too.
 *
 * @returns Malformed unless the text is a host with an optional port: for user information, escapes, empty
 *   labels, a port above 65535, or a name that ends in a number and is not IPv4 in four decimal parts.
 */
export function parseAuthority(text: string): Authority | Malformed {
  const [, written, digits] = FORM.exec(text.toLowerCase()) ?? [];
  if (written === undefined) return new Malformed("is not a host with an optional port");
  const port = digits === undefined || digits === "" ? undefined : Number(digits);
  if (port === 0 || (port !== undefined && port > 65_535))
    return new Malformed("has a port that is not from 1 to 65535");
  const host = canonicalHost(written);
  return host instanceof Malformed ? host : { host, port };
}

/** The authority as a Host header writes it. */
export function authorityText({ host, port }: Authority): string {
  return port === undefined ? host : `${host}:${port}`;
}

function canonicalHost(written: string): string | Malformed {
  if (written === "") return written;
  if (written.startsWith("[")) {
    const address = written.includes(":") ? canonicalAddress(written) : undefined;
    if (address === undefined) return new Malformed("has brackets around what is no IPv6 address");
    return address.includes(":") ? `[${address}]` : address;
  }
  const host = written.endsWith(".") ? written.slice(0, -1) : written;
  if (host.length > MAX_HOST_LENGTH) return new Malformed(`is longer than ${MAX_HOST_LENGTH} characters`);
  if (host === "" || /^\.|\.\.|\.$/.test(host)) return new Malformed("has an empty label");
  if (ENDS_IN_A_NUMBER.test(host) && canonicalAddress(host) !== host)
    return new Malformed("ends in a number and is no IPv4 address in four decimal parts");
  return host;
}
