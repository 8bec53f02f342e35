// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { RequestHead } from "../../contract/head.ts";
import { UnsendableHead } from "../../contract/unsendable-head.ts";

const METHOD = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const TARGET = /^[\x21-\x7e]+$/;
const PROTOCOL = /^[!#$%&'*+.^_`|~0-9A-Za-z/-]+$/;

/** A request's head as HTTP/2 sends it: name, value, name, value … */
export interface OutgoingRequest {
  readonly pseudo: readonly string[];
  readonly fields: readonly string[];
  readonly neverIndexed: ReadonlySet<string> | undefined;
}

/**
 * A request's fields for HTTP/2.
 *
 * @param head Its headers are without hop-by-hop fields. They are not changed: another try may need them.
 * @throws UnsendableHead when a part cannot be sent.
 */
export function outgoingRequestOf(
  { method, target, headers, upgrade }: RequestHead,
  scheme: "http" | "https",
): OutgoingRequest {
  if (!METHOD.test(method)) throw new UnsendableHead("The method cannot be sent");
  if (!TARGET.test(target)) throw new UnsendableHead("The request target cannot be sent");
  if (upgrade !== undefined && !PROTOCOL.test(upgrade))
    throw new UnsendableHead("The protocol to upgrade to cannot be sent");
  const flat = headers.sendable();
  const fields: string[] = [];
  let host: string | undefined;
  for (let index = 0; index < flat.length; index += 2) {
    const name = flat[index] as string;
    if (name === "host") {
      if (host !== undefined) throw new UnsendableHead("There is more than one Host header");
      host = flat[index + 1];
    } else if (upgrade === undefined || !isOfHandshake(name)) {
      fields.push(name, flat[index + 1] as string);
    }
  }
  const pseudo = [":method", upgrade === undefined ? method : "CONNECT", ":scheme", scheme, ":path", target];
  if (host !== undefined) pseudo.push(":authority", host);
  if (upgrade !== undefined) pseudo.push(":protocol", upgrade);
  return { pseudo, fields, neverIndexed: headers.neverIndexed };
}

/** Fields of a handshake in HTTP/1.1 that an extended CONNECT has not (RFC 8441, section 5). */
function isOfHandshake(name: string): boolean {
  return name === "upgrade" || name === "sec-websocket-key";
}
