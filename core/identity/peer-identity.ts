// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { parseSpiffeId } from "./spiffe-id.ts";
import type { CertificateFacts } from "./svid-rules.ts";

/** The parts of a workload's SPIFFE id that policies see. */
export interface PeerIdentity {
  /** The id without `spiffe://`, such as `cluster.local/ns/shop/sa/cart`: Istio's principal. */
  readonly principal: string;
  readonly trustDomain: string;
  /** The namespace and the service account of an id in Istio's form, `/ns/NAMESPACE/sa/ACCOUNT`. */
  readonly namespace: string | undefined;
  readonly serviceAccount: string | undefined;
}

/** The facts of a certificate on which a peer's identity rests. */
export interface PeerFacts
  extends Pick<CertificateFacts, "uris" | "isAuthority" | "notBeforeMs" | "notAfterMs"> {
  /** Undefined without the extension. */
  readonly keyUsage: Omit<NonNullable<CertificateFacts["keyUsage"]>, "isCritical"> | undefined;
}

const SCHEME = "spiffe://";

/** Istio splits the path without checking the names: another issuer's may be none of Kubernetes. */
const ISTIO_PATH = /^\/ns\/([^/]+)\/sa\/([^/]+)$/;

/** Returns undefined for a text that is not the SPIFFE id of a workload, which has a path. */
export function parsePeerIdentity(id: string): PeerIdentity | undefined {
  const { trustDomain = "", path = "" } = parseSpiffeId(id) ?? {};
  if (path === "") return undefined;
  const [, namespace, serviceAccount] = ISTIO_PATH.exec(path) ?? [];
  return { principal: id.slice(SCHEME.length), trustDomain, namespace, serviceAccount };
}

/**
 * The identity of a peer whose certificate chain has been verified; or the fault for which the peer is refused. The rules
 * are those of the X.509-SVID standard for whoever validates, section 5.2: a leaf with exactly one URI, which is a SPIFFE id, whose
 * key may not sign certificates. Issuers must write a key usage; a certificate without one is accepted, as in Envoy. Times are
 * checked because a resumed TLS session skips the verification of the chain.
 *
 * @param trustDomains The mesh's trust domain and its aliases.
 */
export function peerIdentityOf(
  { uris, isAuthority, keyUsage, notBeforeMs, notAfterMs }: PeerFacts,
  trustDomains: readonly string[],
  nowMs: number,
): PeerIdentity | string {
  const [uri, ...others] = uris;
  if (isAuthority) return "the certificate is an authority's, not a workload's";
  if (keyUsage !== undefined) {
    if (keyUsage.keyCertSign || keyUsage.cRLSign)
      return "the certificate's key may sign certificates or revocation lists";
    if (!keyUsage.digitalSignature) return "the certificate's key may not make digital signatures";
  }
  if (uri === undefined) return "the certificate has no SPIFFE id";
  if (others.length > 0) return "the certificate has more than one URI";
  const identity = parsePeerIdentity(uri);
  if (identity === undefined) return `the certificate's URI is not a SPIFFE id: ${uri.slice(0, 200)}`;
  if (!trustDomains.includes(identity.trustDomain))
    return `the trust domain ${identity.trustDomain} is not one of ${trustDomains.join(", ")}`;
  if (nowMs > notAfterMs) return "the certificate has expired";
  if (nowMs < notBeforeMs) return "the certificate is not valid yet";
  return identity;
}
