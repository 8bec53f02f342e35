// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Client claims: headers with which a proxy tells the next hop who the client is, how it came and what it
 * asked for. Upstreams and their frameworks believe them, so that an edge may pass only claims of its own or
 * of a trusted proxy in front of it.
 */

/** Prefixes of claims. */
const CLAIM_PREFIXES: readonly string[] = [
  // X-Forwarded-Client-Cert, -For, -Host, -Port, -Prefix, -Proto, -Scheme, -Server, -Ssl, -Uri, -User …
  "x-forwarded",
  // X-Original-URL, -URI, -Host, -Method, -For, -Forwarded-For …
  "x-original-",
  // X-Rewrite-URL.
  "x-rewrite-",
  // X-Real-IP and X-Real-Port.
  "x-real-",
  // The client's certificate, as TLS terminators pass it on: RFC 9440, nginx, HAProxy, AWS.
  "client-cert",
  "x-client-cert",
  "ssl-client-",
  "x-ssl-",
  "x-amzn-mtls-",
  // The client's address behind known networks.
  "cf-connecting-ip",
  "x-azure-",
  // The user whom an authenticating proxy has signed in: oauth2-proxy, Kubernetes, Grafana, Google, Azure,
  // AWS.
  "x-auth-request-",
  "x-remote-",
  "x-webauth-",
  "x-goog-authenticated-",
  "x-goog-iap-",
  "x-ms-client-principal",
  "x-amzn-oidc-",
];

const CLAIMS: ReadonlySet<string> = new Set([
  // RFC 7239.
  "forwarded",
  "forwarded-for",
  "client-ip",
  "fastly-client-ip",
  "true-client-ip",
  "x-appengine-user-ip",
  "x-client-ip",
  "x-cluster-client-ip",
  "x-originating-ip",
  "x-proxyuser-ip",
  "remote-addr",
  // The scheme and the host.
  "front-end-https",
  "x-arr-ssl",
  "x-host",
  "x-scheme",
  "x-url-scheme",
  // CGI and WSGI variables that servers take from headers (gunicorn's forwarder_headers, CVE-2016-5385).
  "path-info",
  "proxy",
  "remote-user",
  "script-name",
]);

/**
 * Headers between proxies of one mesh: Envoy's, Istio's and Purser's own. No proxy in front of an edge may
 * set them.
 */
const MESH_PREFIXES: readonly string[] = ["x-envoy-", "x-istio-", "x-purser-"];

const MESH = beginningWith(MESH_PREFIXES);
const CLAIM = beginningWith(CLAIM_PREFIXES);

/** One regular expression for all prefixes: it is tested for every header of every request. */
function beginningWith(prefixes: readonly string[]): RegExp {
  return new RegExp(`^(?:${prefixes.join("|")})`);
}

/** The one claim of an untrusted client that stays, because the edge appends the client's address to it. */
const APPENDED_TO = "x-forwarded-for";

/**
 * Whether an edge removes a header from a request.
 *
 * @param name in lower case.
 * @param trustedHops Number of trusted proxies in front of the edge. With one or more, they set and clear the
 * claims; the headers of the mesh are removed in any case.
 */
export function isRemovedAtEdge(name: string, trustedHops: number): boolean {
  // Upstreams that turn names into variables (CGI) read an underscore as a dash.
  const folded = name.includes("_") ? name.replaceAll("_", "-") : name;
  if (MESH.test(folded)) return true;
  if (trustedHops > 0 || name === APPENDED_TO) return false;
  return CLAIMS.has(folded) || CLAIM.test(folded);
}
