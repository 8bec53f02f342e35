// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { X509Certificate } from "node:crypto";
import { isIP } from "node:net";

/** Subject alternative names of a certificate, in its order. */
export interface SubjectAltNames {
  readonly uris: readonly string[];
  readonly dnsNames: readonly string[];
}

/** `DNS:a, URI:"…"`: Node writes a name that could be mistaken for several as a JSON string. */
const ENTRY = /\s*([^:,"]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:,|$)/gy;

export function subjectAltNamesOf({
  subjectAltName = "",
}: Pick<X509Certificate, "subjectAltName">): SubjectAltNames {
  const uris: string[] = [];
  const dnsNames: string[] = [];
  for (const [, type, text = ""] of subjectAltName.matchAll(ENTRY)) {
    const name = text.startsWith('"') ? (JSON.parse(text) as string) : text;
    if (type === "URI") uris.push(name);
    else if (type === "DNS") dnsNames.push(name);
  }
  return { uris, dnsNames };
}

/**
 * Whether a certificate has a name: a DNS name (also by a wildcard for its first label), an IP address, or a URI that is
 * equal. The subject's common name never counts, as in Envoy (RFC 6125, section 6.4.4).
 */
export function hasSubjectAltName(certificate: X509Certificate, name: string): boolean {
  if (isIP(name) !== 0) return certificate.checkIP(name) !== undefined;
  if (name.includes(":") || name.includes("/")) return subjectAltNamesOf(certificate).uris.includes(name);
  return certificate.checkHost(name, HOST_OPTIONS) !== undefined;
}

const HOST_OPTIONS = { subject: "never", partialWildcards: false } as const;
