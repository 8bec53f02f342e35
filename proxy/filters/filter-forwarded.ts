// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createHash } from "node:crypto";

import { canonicalScheme } from "../../kernel/canonical/scheme.ts";
import { canonicalAddress } from "../../kernel/matching/ip-address.ts";
import type { Exchange } from "../exchange/exchange.ts";
import { CLIENT_CLAIM, FORWARDED_FOR, isFlagged, MESH_CLAIM } from "../transport/fields/name-flags.ts";
import type { PeerCertificate } from "../transport/contract/connection.ts";
import type { OwnIdentity } from "./filter-attributes.ts";
import type { Filter } from "./filter.ts";

/**
 * Determines the client's address. An edge believes client claims (x-forwarded-*, forwarded, …) only from the
 * trusted proxies in front of it. Without trusted proxies it removes all claims but `x-forwarded-for`, and
 * sets `x-forwarded-for`, `-proto` and `-host` itself. Proxies behind the edge keep the headers as they are; a listener with
 * mutual TLS tells the peer in `x-forwarded-client-cert`.
 *
 * @param identity The proxy's own; undefined for a proxy without a workload's certificate.
 */
export function forwardedFilter(identity?: OwnIdentity): Filter {
  return {
    name: "forwarded",
    onRequest(exchange) {
      if (exchange.listener.edge) takeAtEdge(exchange);
      else takeInside(exchange);
      if (exchange.listener.peerTls !== undefined) tellPeer(exchange, identity);
      return undefined;
    },
    onRequestTrailers({ listener }, trailers) {
      if (listener.edge) trailers.removeWhere(listener.trustedHops > 0 ? isMeshClaim : isClaim);
      if (listener.peerTls !== undefined) trailers.remove(CLIENT_CERTIFICATE);
    },
  };
}

/** The header in which an edge tells the proxies behind it the client's address; Envoy's name. */
const CLIENT_ADDRESS = "x-envoy-external-address";

/**
 * Envoy's rule for `use_remote_address: true`: without trusted hops the client is the peer; with N trusted
 * hops the client is the N-th address from the right of x-forwarded-for, since each proxy appends the peer
 * that it saw. This proxy appends its peer, too.
 */
function takeAtEdge(exchange: Exchange): void {
  const { headers } = exchange.request;
  const { authorityText: authority } = exchange.request;
  const { remoteIp } = exchange.connection;
  const { trustedHops } = exchange.listener;
  const claims = trustedHops > 0 ? MESH_CLAIM : CLIENT_CLAIM;
  if ((exchange.nameFlags & claims) !== 0) headers.removeWhere(trustedHops > 0 ? isMeshClaim : isClaim);
  const addresses =
    (exchange.nameFlags & FORWARDED_FOR) === 0 ? NONE : addressesOf(headers.get("x-forwarded-for"));
  if (trustedHops === 0) {
    headers.setPlain("x-forwarded-proto", exchange.request.scheme);
    headers.set("x-forwarded-host", authority);
  } else {
    exchange.originIp = canonicalAddress(addresses.at(-trustedHops) ?? "") ?? remoteIp;
    takeScheme(exchange);
    if (!headers.has("x-forwarded-host")) headers.set("x-forwarded-host", authority);
  }
  if (addresses.length === 0) headers.setPlain("x-forwarded-for", remoteIp);
  else headers.set("x-forwarded-for", [...addresses, remoteIp].join(", "));
  headers.setPlain(CLIENT_ADDRESS, exchange.originIp);
}

/**
 * Behind the edge, the edge's headers are believed and nothing is appended: Envoy's `use_remote_address:
 * false`.
 */
function takeInside(exchange: Exchange): void {
  const { headers } = exchange.request;
  const told = canonicalAddress(headers.get(CLIENT_ADDRESS) ?? "");
  exchange.originIp =
    told ??
    canonicalAddress(addressesOf(headers.get("x-forwarded-for")).at(-1) ?? "") ??
    exchange.connection.remoteIp;
  takeScheme(exchange);
}

const CLIENT_CERTIFICATE = "x-forwarded-client-cert";

/**
 * Appends the peer of a connection by mutual TLS to the header, as Istio's sidecars do (APPEND_FORWARD); the last element is
 * this proxy's. Of a caller in plain text the header is removed: anyone could have written it (SANITIZE).
 */
function tellPeer({ connection: { tls }, request: { headers } }: Exchange, identity?: OwnIdentity): void {
  const certificate = tls?.peer === undefined ? undefined : tls.peerCertificate;
  if (certificate === undefined) return headers.remove(CLIENT_CERTIFICATE);
  const element = elementOf(certificate, identity?.spiffeId);
  const earlier = headers.get(CLIENT_CERTIFICATE);
  headers.set(CLIENT_CERTIFICATE, earlier === undefined ? element : `${earlier},${element}`);
}

/** Elements by certificate: a connection has one certificate for all its requests. */
const elements = new WeakMap<PeerCertificate, { readonly by: string | undefined; readonly text: string }>();

/** An element in Envoy's form; SPIFFE ids have no character that would need quotes. */
function elementOf(certificate: PeerCertificate, by: string | undefined): string {
  const known = elements.get(certificate);
  if (known !== undefined && known.by === by) return known.text;
  const hash = createHash("sha256").update(certificate.der).digest("hex");
  const text = `${by === undefined ? "" : `By=${by};`}Hash=${hash};URI=${certificate.uris[0] ?? ""}`;
  elements.set(certificate, { by, text });
  return text;
}

function takeScheme(exchange: Exchange): void {
  const { headers } = exchange.request;
  const scheme = canonicalScheme(headers.get("x-forwarded-proto") ?? "") ?? exchange.request.scheme;
  exchange.request.scheme = scheme;
  headers.setPlain("x-forwarded-proto", scheme);
}

const NONE: readonly string[] = [];

function isClaim(name: string): boolean {
  return isFlagged(name, CLIENT_CLAIM);
}

function isMeshClaim(name: string): boolean {
  return isFlagged(name, MESH_CLAIM);
}

function addressesOf(field: string | undefined): readonly string[] {
  if (field === undefined) return [];
  return field
    .split(",")
    .map((address) => address.trim())
    .filter((address) => address !== "");
}
