// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { parseSpiffeId, spiffeIdFault } from "./spiffe-id.ts";

/** Facts of a certificate that the rules for X.509-SVIDs need. */
export interface CertificateFacts {
  /** The URIs among the subject alternative names. */
  readonly uris: readonly string[];
  /** Whether the certificate names its subject outside the subject alternative names. */
  readonly hasSubject: boolean;
  readonly isSanCritical: boolean;
  /** The field `cA` of the basic constraints; false without them. */
  readonly isAuthority: boolean;
  /** Undefined without the extension. */
  readonly keyUsage:
    | {
        readonly isCritical: boolean;
        readonly digitalSignature: boolean;
        readonly keyCertSign: boolean;
        readonly cRLSign: boolean;
      }
    | undefined;
  /** Object identifiers of the extended key usage; undefined without the extension. */
  readonly extendedKeyUsages: readonly string[] | undefined;
  /** In milliseconds since the Unix epoch. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** RFC 5280, section 4.2.1.12. */
export const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
export const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";

/**
 * Reason that a certificate is not an X.509-SVID of a workload (X509-SVID specification, sections 2 to 5); undefined when it
 * is one. The signature is the TLS library's affair.
 *
 * @param trustDomains The trust domains whose workloads are accepted.
 */
export function leafFault(
  facts: CertificateFacts,
  { trustDomains, nowMs }: { readonly trustDomains: readonly string[]; readonly nowMs: number },
): string | undefined {
  const { uris, isAuthority, keyUsage, extendedKeyUsages } = facts;
  const [uri] = uris;
  if (uri === undefined) return "it has no URI among its subject alternative names";
  // RFC 5280 allows several; an SVID with two would have two identities (section 2).
  if (uris.length > 1) return "it has more than one URI among its subject alternative names";
  const idFault = spiffeIdFault(uri);
  if (idFault !== undefined) return `its URI is not a SPIFFE id: ${idFault}`;
  const { trustDomain = "", path = "" } = parseSpiffeId(uri) ?? {};
  if (path === "") return "its SPIFFE id has no path, so that it names no workload";
  if (!trustDomains.includes(trustDomain)) return `its trust domain ${trustDomain} is not trusted`;
  if (isAuthority) return "it is a certificate authority's";
  if (keyUsage === undefined) return "it has no key usage";
  if (!keyUsage.isCritical) return "its key usage is not critical";
  if (!keyUsage.digitalSignature) return "its key may not make digital signatures";
  if (keyUsage.keyCertSign || keyUsage.cRLSign) return "its key may sign certificates or revocation lists";
  if (
    extendedKeyUsages !== undefined &&
    !(extendedKeyUsages.includes(SERVER_AUTH) && extendedKeyUsages.includes(CLIENT_AUTH))
  )
    return "its extended key usage lacks serverAuth or clientAuth";
  // RFC 5280, section 4.2.1.6.
  if (!facts.hasSubject && !facts.isSanCritical)
    return "it has no subject, and its subject alternative names are not critical";
  return validityFault(facts, nowMs);
}

/** Reason that a certificate may not sign X.509-SVIDs; undefined when it may. */
export function signerFault(facts: CertificateFacts, nowMs: number): string | undefined {
  const { uris, isAuthority, keyUsage } = facts;
  if (!isAuthority) return "it is not a certificate authority's";
  if (keyUsage === undefined) return "it has no key usage";
  if (!keyUsage.isCritical) return "its key usage is not critical";
  if (!keyUsage.keyCertSign) return "its key may not sign certificates";
  const [uri] = uris;
  if (uris.length > 1) return "it has more than one URI among its subject alternative names";
  if (uri !== undefined && parseSpiffeId(uri)?.path !== "")
    return "its URI is not the SPIFFE id of a trust domain: a signing certificate's id has no path";
  return validityFault(facts, nowMs);
}

function validityFault({ notBeforeMs, notAfterMs }: CertificateFacts, nowMs: number): string | undefined {
  if (nowMs < notBeforeMs) return "it is not valid yet";
  // RFC 5280, section 4.1.2.5: notAfter is included.
  if (nowMs > notAfterMs) return "it has ended";
  return undefined;
}
