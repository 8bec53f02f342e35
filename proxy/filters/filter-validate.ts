// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { authorityText, parseAuthority } from "../../kernel/canonical/authority.ts";
import { Malformed } from "../../kernel/canonical/malformed.ts";
import { parseRequestTarget } from "../../kernel/canonical/target.ts";
import { errorReply, type LocalReply } from "../exchange/local-reply.ts";
import type { Exchange } from "../exchange/exchange.ts";
import { removeHopByHop } from "../transport/fields/hop-by-hop.ts";
import { removeForbiddenTrailers } from "../transport/fields/trailer-fields.ts";
import {
  applyUnderscoresAction,
  type HeadersWithUnderscoresAction,
} from "../transport/fields/underscore-names.ts";
import type { Filter } from "./filter.ts";

/** Envoy's default limit for the number of header fields. */
const MAX_HEADERS = 100;

/**
 * Refuses requests that the parser accepts but that the next hop may read otherwise than the policies did
 * (request smuggling). After this filter, the target, authority and headers are unambiguous.
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
  if (request.method === "CONNECT") {
    return errorReply("method_not_allowed", "CONNECT is for forward proxies; this is not one.");
  }
  if (headers.count("host") > 1) return errorReply("bad_request", "There is more than one Host header.");
  if (!headers.has("host") && request.httpVersion === "1.1") {
    return errorReply("bad_request", "HTTP/1.1 requires a Host header.");
  }
  const underscored = applyUnderscoresAction(headers, underscores);
  if (underscored !== undefined) {
    return errorReply(
      "bad_request",
      `The header name ${underscored} has an underscore, which some servers take for a dash.`,
    );
  }
  const encoding = headers.get("transfer-encoding");
  if (encoding !== undefined && (encoding.toLowerCase() !== "chunked" || request.httpVersion === "1.0")) {
    return errorReply("bad_request", "The only Transfer-Encoding is chunked, and only in HTTP/1.1.");
  }
  const expect = headers.get("expect");
  if (expect !== undefined && expect.toLowerCase() !== "100-continue") {
    return errorReply("expectation_failed", "The only expectation that can be met is 100-continue.");
  }
  const target = parseRequestTarget(request.path + request.query, exchange.listener.pathNormalization);
  if (target instanceof Malformed) {
    return errorReply("bad_request", `The request target ${target.reason}.`);
  }
  const authority = target.authority ?? parseAuthority(headers.get("host") ?? "");
  if (authority instanceof Malformed)
    return errorReply("bad_request", `The Host header ${authority.reason}.`);
  request.path = target.path;
  request.query = target.query;
  request.authority = authority;
  headers.set("host", authorityText(authority));
  // The upstream decides about 100 Continue. It is ignored in HTTP/1.0, and without a body (RFC 9110, 10.1.1).
  if (expect !== undefined && (request.httpVersion === "1.0" || !request.hasBody)) headers.remove("expect");
  removeHopByHop(headers);
  // Policies may read `upgrade`; the codec that sends the request writes its own.
  if (request.upgrade !== undefined) headers.set("upgrade", request.upgrade);
  return undefined;
}
