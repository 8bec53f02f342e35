// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type CertificateFacts } from "../../core/identity/svid-rules.ts";
import type { X509Library } from "./x509-library.ts";

/** The facts of a certificate that the rules for X.509-SVIDs need. @throws {Error} when it cannot be read. */
export function certificateFacts(x509: X509Library, pem: string): CertificateFacts {
  const certificate = new x509.X509Certificate(pem);
  const names = certificate.getExtension(x509.SubjectAlternativeNameExtension);
  const constraints = certificate.getExtension(x509.BasicConstraintsExtension);
  const usages = certificate.getExtension(x509.KeyUsagesExtension);
  const extended = certificate.getExtension(x509.ExtendedKeyUsageExtension);
  const { digitalSignature, keyCertSign, cRLSign } = x509.KeyUsageFlags;
  const has = (flag: number): boolean => ((usages?.usages ?? 0) & flag) !== 0;
  return {
    uris: names?.names.items.filter(({ type }) => type === "url").map(({ value }) => value) ?? [],
    hasSubject: certificate.subject !== "",
    isSanCritical: names?.critical ?? false,
    isAuthority: constraints?.ca ?? false,
    keyUsage:
      usages === null
        ? undefined
        : {
            isCritical: usages.critical,
            digitalSignature: has(digitalSignature),
            keyCertSign: has(keyCertSign),
            cRLSign: has(cRLSign),
          },
    extendedKeyUsages: extended?.usages.map(String),
    notBeforeMs: certificate.notBefore.getTime(),
    notAfterMs: certificate.notAfter.getTime(),
  };
}
