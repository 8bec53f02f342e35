// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type Authority, authorityText } from "../../kernel/canonical/authority.ts";
import { AuthorityCache } from "../../kernel/canonical/authority-cache.ts";
import { Malformed } from "../../kernel/canonical/malformed.ts";
import { isCanonicalTarget, parseRequestTarget } from "../../kernel/canonical/target.ts";
import { errorReply, type LocalReply } from "../exchange/local-reply.ts";
import type { Exchange, ExchangeRequest } from "../exchange/exchange.ts";
import { removeHopByHop } from "../transport/fields/hop-by-hop.ts";
import {
  EXPECT,
  HOST,
  SEVERAL_HOSTS,
  TE,
  TRANSFER_ENCODING,
  UNDERSCORE,
} from "../transport/fields/name-flags.ts";
import { removeForbiddenTrailers } from "../transport/fields/trailer-fields.ts";
import {
  applyUnderscoresAction,
  type HeadersWithUnderscoresAction,
} from "../transport/fields/underscore-names.ts";
import type { Filter } from "./filter.ts";

/** Envoy's default limit for the number of header fields. */
const MAX_HEADERS = 100;

const authorities = new AuthorityCache();

/**
 * Refuses requests that the parser accepts but that the next hop may read otherwise than the policies did
 * (request smuggling). After this filter, the method, target, authority and headers are unambiguous.
 */
export function validateFilter(underscores: HeadersWithUnderscoresAction): Filter {
  return {
    name: "validate",
    onRequest: (exchange) => validate(exchange, underscores),
    onRequestTrailers({ request }, trailers) {
      removeForbiddenTrailers(trailers);
      if (underscores !== "ALLOW") applyUnderscoresAction(trailers, "DROP_HEADER");
      // Policies decided by the headers: an upstream that merges trailers into them must not read another
      // value.
      trailers.removeWhere((name) => request.headers.has(name));
    },
    onResponseTrailers(_exchange, trailers) {
      removeForbiddenTrailers(trailers);
    },
  };
}

function validate(exchange: Exchange, underscores: HeadersWithUnderscoresAction): LocalReply | undefined {
  const { request } = exchange;
  const { headers } = request;
  if (headers.size > MAX_HEADERS) {
    return errorReply("request_headers_too_large", `A request may have at most ${MAX_HEADERS} headers.`);
  }
  if (LOWER_CASE.test(request.method)) {
    const method = request.method.toUpperCase();
    // The codec frames the response by the method as it was written; a peer may frame it by either spelling.
    if (method === "HEAD" || method === "CONNECT")
      return errorReply("bad_request", `The method ${method} must be in upper case.`);
    request.method = method;
  }
  if (request.method === "CONNECT") {
    return errorReply("method_not_allowed", "CONNECT is for forward proxies; this is not one.");
  }
  const flags = exchange.nameFlags;
  // Most requests have no field that needs a closer look.
  if ((flags & QUESTIONABLE) !== 0 || (flags & HOST) === 0) {
    const fault = faultOfFields(request, flags, underscores);
    if (fault !== undefined) return fault;
  }
  const fault = canonicalize(exchange);
  if (fault !== undefined) return fault;
  // The upstream decides about 100 Continue. It is ignored in HTTP/1.0, and without a body (RFC 9110, 10.1.1).
  if ((flags & EXPECT) !== 0 && (request.httpVersion === "1.0" || !request.hasBody)) headers.remove("expect");
  const takesTrailers =
    (flags & TE) !== 0 && request.httpVersion === "2" && TRAILERS.test(headers.get("te") ?? "");
  removeHopByHop(headers, flags);
  // The proxy passes trailers on, so that the upstream may know that the client takes them; gRPC demands the field.
  if (takesTrailers) headers.setPlain("te", "trailers");
  // Policies may read `upgrade`; the codec that sends the request writes its own.
  if (request.upgrade !== undefined) headers.set("upgrade", request.upgrade);
  return undefined;
}

const LOWER_CASE = /[a-z]/;

/** The option `trailers` in a list of transfer codings (RFC 9110, section 10.1.4). */
const TRAILERS = /(?:^|,)[ \t]*trailers[ \t]*(?:,|$)/i;

const QUESTIONABLE = SEVERAL_HOSTS | UNDERSCORE | TRANSFER_ENCODING | EXPECT;

/** The reply to a request whose fields are refused; undefined for one whose fields are sound. */
function faultOfFields(
  { headers, httpVersion }: ExchangeRequest,
  flags: number,
  underscores: HeadersWithUnderscoresAction,
): LocalReply | undefined {
  if ((flags & SEVERAL_HOSTS) !== 0) return errorReply("bad_request", "There is more than one Host header.");
  if ((flags & HOST) === 0 && httpVersion === "1.1") {
    return errorReply("bad_request", "HTTP/1.1 requires a Host header.");
  }
  const underscored = (flags & UNDERSCORE) === 0 ? undefined : applyUnderscoresAction(headers, underscores);
  if (underscored !== undefined) {
    return errorReply(
      "bad_request",
      `The header name ${underscored} has an underscore, which some servers take for a dash.`,
    );
  }
  const encoding = headers.get("transfer-encoding");
  if (encoding !== undefined && (encoding.toLowerCase() !== "chunked" || httpVersion === "1.0")) {
    return errorReply("bad_request", "The only Transfer-Encoding is chunked, and only in HTTP/1.1.");
  }
  const expect = headers.get("expect");
  if (expect !== undefined && expect.toLowerCase() !== "100-continue") {
    return errorReply("expectation_failed", "The only expectation that can be met is 100-continue.");
  }
  return undefined;
}

/** Brings target and authority into their canonical form; returns the reply to a request without one. */
function canonicalize(exchange: Exchange): LocalReply | undefined {
  const { request, listener } = exchange;
  let named: Authority | undefined;
  // `OPTIONS *` asks about the server as a whole (RFC 9112, section 3.2.4): it has no path to bring into a form.
  const isForServer = request.path === "*" && request.query === "" && request.method === "OPTIONS";
  if (!isForServer && !isCanonicalTarget(request.path, request.query)) {
    const written = request.path + request.query;
    const target = parseRequestTarget(written, listener.pathNormalization, request.scheme);
    if (target instanceof Malformed) {
      return errorReply("bad_request", `The request target ${target.reason}.`);
    }
    request.path = target.path;
    request.query = target.query;
    named = target.authority;
  }
  const host = request.headers.get("host");
  const known =
    named === undefined ? authorities.of(host ?? "") : { authority: named, text: authorityText(named) };
  if (known instanceof Malformed) return errorReply("bad_request", `The Host header ${known.reason}.`);
  request.authority = known.authority;
  request.authorityText = known.text;
  if (known.text !== host) request.headers.set("host", known.text);
  return undefined;
}
