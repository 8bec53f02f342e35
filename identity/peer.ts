// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { X509Certificate } from "node:crypto";
import { leafFault } from "../core/identity/svid-rules.ts";
import { certificateFacts } from "./authority/certificate-facts.ts";
import { canonicalSerial } from "./authority/pem.ts";
import type { X509Library } from "./authority/x509-library.ts";

/** A workload, by the certificate that it has shown. */
export interface Peer {
  readonly spiffeId: string;
  /** Hexadecimal, upper case, without leading zeros. */
  readonly serial: string;
  /** In milliseconds since the Unix epoch. */
  readonly notAfterMs: number;
}

/**
 * The workload of a certificate whose chain is verified; the reason that it is none as a text. An authority above this one may
 * also sign certificates that are no X.509-SVIDs.
 */
export function peerOf(
  x509: X509Library,
  certificate: X509Certificate,
  { trustDomain, nowMs }: { readonly trustDomain: string; readonly nowMs: number },
): Peer | string {
  const facts = certificateFacts(x509, certificate.toString());
  const fault = leafFault(facts, { trustDomains: [trustDomain], nowMs });
  if (fault !== undefined) return fault;
  const [spiffeId = ""] = facts.uris;
  return { spiffeId, serial: canonicalSerial(certificate.serialNumber), notAfterMs: facts.notAfterMs };
}
