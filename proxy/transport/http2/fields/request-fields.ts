// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { RequestHead } from "../../contract/head.ts";
import { MAX_FIELDS } from "../../http1/messages/fields/field-block.ts";
import { MessageFault } from "../../http1/messages/message-fault.ts";
import type { FieldCollector } from "./field-collector.ts";
import { addHandshakeKey } from "./websocket-handshake.ts";

const METHOD = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** The characters of a request target in HTTP/1.1, which may be the protocol towards the upstream. */
const TARGET = /^[\x21-\x7e]+$/;
/** RFC 3986, section 3.2.2, and a port, without user information (RFC 9113, section 8.3.1). */
const AUTHORITY = /^[A-Za-z0-9._~!$&'()*+,;=%:[\]-]*$/;

const TOO_LARGE = new MessageFault(
  "request_headers_too_large",
  `The header fields are too large, or more than ${MAX_FIELDS}.`,
);

/**
 * A request's head (RFC 9113, section 8.3.1).
 *
 * @param endsStream Whether the request has neither a body nor trailers.
 * @param upgradeProtocols Accepted protocols of an extended CONNECT (RFC 8441), in lower case.
 * @returns A fault to reply to, or `malformed` for a request that must be reset, as Envoy does (section 8.1.1).
 */
export function requestHeadOf(
  fields: FieldCollector,
  endsStream: boolean,
  upgradeProtocols: readonly string[],
): RequestHead | MessageFault | "malformed" {
  if (fields.isTooLarge) return TOO_LARGE;
  const { method, host, contentLength } = fields;
  const authority = fields.authority ?? host;
  if (method === undefined || authority === undefined || !AUTHORITY.test(authority)) return "malformed";
  if (!isMethod(method) || !isLength(contentLength, endsStream)) return "malformed";
  // Which of the two an upstream reads, nobody knows.
  if (host !== undefined && host !== authority && host.toLowerCase() !== authority.toLowerCase())
    return new MessageFault("bad_request", ":authority and Host differ.");
  const fault =
    method === "CONNECT" ? connectFault(fields, upgradeProtocols.length > 0) : targetFault(fields, method);
  if (fault !== undefined) return fault;
  const protocol = fields.protocol?.toLowerCase();
  const upgrade = protocol !== undefined && upgradeProtocols.includes(protocol) ? protocol : undefined;
  const headers = fields.headers(authority);
  if (upgrade !== undefined) addHandshakeKey(headers);
  return {
    // In HTTP/1.1, and for policies, a WebSocket begins with GET.
    method: upgrade === undefined ? method : "GET",
    target: method === "CONNECT" && upgrade === undefined ? authority : (fields.path as string),
    headers,
    httpVersion: "2",
    hasBody: !endsStream && upgrade === undefined,
    contentLength: contentLength === undefined ? undefined : Number(contentLength),
    upgrade,
  };
}

function isMethod(method: string): boolean {
  return method === "GET" || method === "POST" || METHOD.test(method);
}

function isLength(contentLength: string | undefined, endsStream: boolean): boolean {
  return contentLength === undefined || !(endsStream && Number(contentLength) > 0);
}

/** CONNECT has no scheme and no path (RFC 9113, section 8.5), unless it is extended (RFC 8441, section 4). */
function connectFault(
  fields: FieldCollector,
  isExtendedAllowed: boolean,
): MessageFault | "malformed" | undefined {
  const { protocol, scheme, path } = fields;
  if (protocol === undefined) return scheme === undefined && path === undefined ? undefined : "malformed";
  return isExtendedAllowed ? targetFault({ scheme, path, protocol: undefined }, "CONNECT") : "malformed";
}

function targetFault(
  { scheme, path, protocol }: Pick<FieldCollector, "scheme" | "path" | "protocol">,
  method: string,
): MessageFault | "malformed" | undefined {
  if (scheme === undefined || path === undefined || path === "" || protocol !== undefined) return "malformed";
  if (scheme !== "http" && scheme !== "https")
    return new MessageFault("bad_request", "The only schemes are http and https.");
  if (path.charCodeAt(0) !== SLASH) return path === "*" && method === "OPTIONS" ? undefined : "malformed";
  return TARGET.test(path) ? undefined : new MessageFault("bad_request", "The request target is malformed.");
}

const SLASH = 0x2f;
