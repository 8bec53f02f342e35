// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { RequestHead } from "../../contract/head.ts";
import { HeaderList } from "../../contract/header-list.ts";
import { MessageFault } from "../../http1/messages/message-fault.ts";
import { addHandshakeKey } from "./websocket-handshake.ts";

const METHOD = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** The characters of a request target in HTTP/1.1, which may be the protocol towards the upstream. */
const TARGET = /^[\x21-\x7e]+$/;
/** At most 2^53 - 1. */
const CONTENT_LENGTH = /^[0-9]{1,15}$/;

/** Envoy's default limit for the number of header fields. */
const MAX_FIELDS = 100;

/**
 * A request's head of the fields that node:http2 decoded. nghttp2 has refused names in upper case, fields of the
 * connection, pseudo-header fields that are absent, unknown, repeated or late, and a body that has not the declared
 * length (RFC 9113, section 8).
 *
 * @param raw Name, value, name, value … with the pseudo-header fields.
 * @param hasBody Whether the stream goes on after the head.
 * @param upgradeProtocols Accepted protocols of an extended CONNECT (RFC 8441), in lower case.
 */
export function requestHeadOf(
  raw: readonly string[],
  hasBody: boolean,
  upgradeProtocols: readonly string[],
): RequestHead | MessageFault {
  const flat: string[] = ["host", ""];
  const pseudo = new Map<string, string>();
  let cookie: string | undefined;
  let host: string | undefined;
  let contentLength: string | undefined;
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] as string;
    const value = raw[index + 1] as string;
    if (name.startsWith(":")) pseudo.set(name, value);
    else if (name === "host") host = value;
    // The one field that a client may divide into several, so that its parts compress well (RFC 9113, section 8.2.3).
    else if (name === "cookie") cookie = cookie === undefined ? value : `${cookie}; ${value}`;
    else {
      if (name === "content-length") contentLength = value;
      flat.push(name, value);
    }
  }
  if (cookie !== undefined) flat.push("cookie", cookie);
  if (flat.length > 2 * MAX_FIELDS) {
    return new MessageFault(
      "request_headers_too_large",
      `A message may have at most ${MAX_FIELDS} header fields.`,
    );
  }
  const authority = pseudo.get(":authority") ?? host;
  const fault = faultOf(pseudo, authority, host, contentLength);
  if (fault !== undefined) return new MessageFault("bad_request", fault);
  flat[1] = authority as string;
  const headers = new HeaderList(flat);
  const method = pseudo.get(":method") as string;
  const protocol = pseudo.get(":protocol")?.toLowerCase();
  const upgrade = protocol !== undefined && upgradeProtocols.includes(protocol) ? protocol : undefined;
  if (upgrade !== undefined) addHandshakeKey(headers);
  return {
    // In HTTP/1.1, and for policies, a WebSocket begins with GET.
    method: upgrade === undefined ? method : "GET",
    target:
      method === "CONNECT" && upgrade === undefined ? (authority as string) : (pseudo.get(":path") as string),
    headers,
    httpVersion: "2",
    hasBody: hasBody && upgrade === undefined,
    contentLength: contentLength === undefined ? undefined : Number(contentLength),
    upgrade,
  };
}

function faultOf(
  pseudo: ReadonlyMap<string, string>,
  authority: string | undefined,
  host: string | undefined,
  contentLength: string | undefined,
): string | undefined {
  if (authority === undefined) return "The request has neither :authority nor Host.";
  // Which of the two an upstream reads, nobody knows.
  if (host !== undefined && host.toLowerCase() !== authority.toLowerCase())
    return ":authority and Host differ.";
  if (!METHOD.test(pseudo.get(":method") ?? "")) return "The method is malformed.";
  if (contentLength !== undefined && !CONTENT_LENGTH.test(contentLength))
    return "Content-Length must be one number.";
  const path = pseudo.get(":path");
  if (path === undefined) return undefined;
  const scheme = pseudo.get(":scheme");
  if (scheme !== "http" && scheme !== "https") return "The only schemes are http and https.";
  const isTarget =
    path === "*" ? pseudo.get(":method") === "OPTIONS" : path.startsWith("/") && TARGET.test(path);
  return isTarget ? undefined : "The request target is malformed.";
}
