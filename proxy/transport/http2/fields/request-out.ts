// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { OutgoingHttpHeaders } from "node:http2";

import type { RequestHead } from "../../contract/head.ts";
import { UnsendableHead } from "../../contract/unsendable-head.ts";
import { outgoingFields } from "./outgoing-fields.ts";

const METHOD = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const TARGET = /^[\x21-\x7e]+$/;
const PROTOCOL = /^[!#$%&'*+.^_`|~0-9A-Za-z/-]+$/;

/** Fields of a handshake in HTTP/1.1 that an extended CONNECT has not (RFC 8441, section 5). */
const HANDSHAKE = ["upgrade", "sec-websocket-key"] as const;

/**
 * A request's fields in the form that node:http2 takes, with the pseudo-header fields.
 *
 * @param head Its headers are without hop-by-hop fields. They are not changed: another try may need them.
 * @throws UnsendableHead when a part cannot be sent.
 */
export function requestFieldsOf(
  { method, target, headers, upgrade }: RequestHead,
  scheme: "http" | "https",
): OutgoingHttpHeaders {
  if (!METHOD.test(method)) throw new UnsendableHead("The method cannot be sent");
  if (!TARGET.test(target)) throw new UnsendableHead("The request target cannot be sent");
  const fields = outgoingFields(headers);
  const { host } = fields;
  if (Array.isArray(host)) throw new UnsendableHead("There is more than one Host header");
  delete fields.host;
  if (upgrade !== undefined) {
    if (!PROTOCOL.test(upgrade)) throw new UnsendableHead("The protocol to upgrade to cannot be sent");
    for (const name of HANDSHAKE) delete fields[name];
    fields[":protocol"] = upgrade;
  }
  fields[":method"] = upgrade === undefined ? method : "CONNECT";
  fields[":scheme"] = scheme;
  fields[":path"] = target;
  if (host !== undefined) fields[":authority"] = host;
  return fields;
}
