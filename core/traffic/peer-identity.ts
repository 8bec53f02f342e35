// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** The parts of a SPIFFE id. */
export interface PeerIdentity {
  /** The id without `spiffe://`, such as `cluster.local/ns/shop/sa/cart`: Istio's principal. */
  readonly principal: string;
  readonly trustDomain: string;
  /** The namespace and the service account of an id in Istio's form, `/ns/NAMESPACE/sa/ACCOUNT`. */
  readonly namespace: string | undefined;
  readonly serviceAccount: string | undefined;
}

/** The facts of a certificate on which a peer's identity rests. */
export interface PeerFacts {
  readonly uris: readonly string[];
  /** Whether the certificate may sign others (basicConstraints: CA). */
  readonly isAuthority: boolean;
  /** Wall-clock times in milliseconds. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

const SCHEME = "spiffe://";

/** The SPIFFE ID standard, section 2.3. */
const MAX_ID_LENGTH = 2_048;

/** Trust domain and path segments by the SPIFFE ID standard, sections 2.1 and 2.2; the id of a workload has a path. */
const SPIFFE_ID = /^spiffe:\/\/([a-z0-9._-]{1,255})((?:\/[A-Za-z0-9._-]+)+)$/;

const ISTIO_PATH = /^\/ns\/([^/]+)\/sa\/([^/]+)$/;

/** Returns undefined for a text that is not the SPIFFE id of a workload. */
export function parseSpiffeId(id: string): PeerIdentity | undefined {
  const match = id.length > MAX_ID_LENGTH ? null : SPIFFE_ID.exec(id);
  if (match === null) return undefined;
  const [, trustDomain = "", path = ""] = match;
  if (path.split("/").some((segment) => segment === "." || segment === "..")) return undefined;
  const [, namespace, serviceAccount] = ISTIO_PATH.exec(path) ?? [];
  return { principal: id.slice(SCHEME.length), trustDomain, namespace, serviceAccount };
}

/** The SPIFFE id of a service account, in Istio's form. */
export function spiffeIdOf(trustDomain: string, namespace: string, serviceAccount: string): string {
  return `${SCHEME}${trustDomain}/ns/${namespace}/sa/${serviceAccount}`;
}

/**
 * The identity of a peer whose certificate chain has been verified; or the fault for which the peer is refused. The rules
 * are those of the X.509-SVID standard, section 5.2: a leaf with exactly one URI, which is a SPIFFE id. Times are
 * checked because a resumed TLS session skips the verification of the chain.
 *
 * @param trustDomains The mesh's trust domain and its aliases.
 */
export function peerIdentityOf(
  { uris, isAuthority, notBeforeMs, notAfterMs }: PeerFacts,
  trustDomains: readonly string[],
  nowMs: number,
): PeerIdentity | string {
  const [uri, ...others] = uris;
  if (isAuthority) return "the certificate is an authority's, not a workload's";
  if (uri === undefined) return "the certificate has no SPIFFE id";
  if (others.length > 0) return "the certificate has more than one URI";
  const identity = parseSpiffeId(uri);
  if (identity === undefined) return `the certificate's URI is not a SPIFFE id: ${uri.slice(0, 200)}`;
  if (!trustDomains.includes(identity.trustDomain))
    return `the trust domain ${identity.trustDomain} is not one of ${trustDomains.join(", ")}`;
  if (nowMs > notAfterMs) return "the certificate has expired";
  if (nowMs < notBeforeMs) return "the certificate is not valid yet";
  return identity;
}
