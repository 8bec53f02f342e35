// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { distance } from "fastest-levenshtein";

/** Header names of IANA's registry and of common proxies that policies often read, in lower case. */
export const WELL_KNOWN_HEADERS: ReadonlySet<string> = new Set(
  `accept accept-charset accept-encoding accept-language accept-ranges access-control-allow-credentials
  access-control-allow-headers access-control-allow-methods access-control-allow-origin access-control-expose-headers
  access-control-max-age access-control-request-headers access-control-request-method age allow alt-svc authorization
  cache-control cf-connecting-ip connection content-disposition content-encoding content-language content-length
  content-location content-range content-security-policy content-type cookie date dnt early-data etag expect expires
  forwarded from grpc-accept-encoding grpc-encoding grpc-message grpc-status grpc-timeout host idempotency-key if-match
  if-modified-since if-none-match if-range if-unmodified-since keep-alive last-modified link location max-forwards
  origin pragma prefer priority proxy-authenticate proxy-authorization range referer referrer-policy retry-after
  sec-ch-ua sec-ch-ua-mobile sec-ch-ua-platform sec-fetch-dest sec-fetch-mode sec-fetch-site sec-fetch-user
  sec-websocket-accept sec-websocket-extensions sec-websocket-key sec-websocket-protocol sec-websocket-version server
  set-cookie strict-transport-security te traceparent tracestate trailer transfer-encoding true-client-ip upgrade
  upgrade-insecure-requests user-agent vary via www-authenticate x-api-key x-b3-flags x-b3-parentspanid x-b3-sampled
  x-b3-spanid x-b3-traceid x-content-type-options x-correlation-id x-csrf-token x-envoy-attempt-count
  x-envoy-external-address x-envoy-original-path x-forwarded-client-cert x-forwarded-for x-forwarded-host
  x-forwarded-port x-forwarded-prefix x-forwarded-proto x-frame-options x-http-method-override x-original-method
  x-original-url x-real-ip x-request-id x-requested-with x-xsrf-token`.split(/\s+/),
);

/** HTTP/2's pseudo-headers (RFC 9113, 8.3.1), and the attributes with their values. */
export const PSEUDO_HEADERS: ReadonlyMap<string, string> = new Map([
  [":method", "request.method"],
  [":path", "request.path"],
  [":authority", "request.host"],
  [":scheme", "request.scheme"],
  [":status", "response.code"],
]);

/** Shortest name that is compared: shorter names are one edit away from too many others. */
const LEAST_LENGTH = 5;

/** The well-known header whose name is one edit from `name`; a swap of neighbouring letters is one edit. */
export function nearHeader(name: string): string | undefined {
  if (name.length < LEAST_LENGTH || WELL_KNOWN_HEADERS.has(name)) return undefined;
  for (const known of WELL_KNOWN_HEADERS) {
    if (Math.abs(known.length - name.length) > 1) continue;
    const edits = distance(name, known);
    if (known.length >= LEAST_LENGTH && (edits === 1 || (edits === 2 && isSwap(name, known)))) return known;
  }
  return undefined;
}

function isSwap(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  const at = a.split("").findIndex((letter, index) => letter !== b[index]);
  return a[at] === b[at + 1] && a[at + 1] === b[at] && a.slice(at + 2) === b.slice(at + 2);
}
