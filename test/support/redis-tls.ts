// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Authority, Certificate } from "./certificates.ts";

/** Arguments with which redis-server, or a Sentinel, also listens with TLS and asks clients for a certificate. */
export function tlsArguments(
  authority: Authority,
  { certFile, keyFile }: Certificate,
  tlsPort: number,
): readonly string[] {
  return Object.entries({
    "--tls-port": `${tlsPort}`,
    "--tls-cert-file": certFile,
    "--tls-key-file": keyFile,
    "--tls-ca-cert-file": authority.certFile,
    "--tls-auth-clients": "yes",
  }).flat();
}
