// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { existsSync } from "node:fs";

/** Files of certificate authorities on Linux and macOS: those that Go's crypto/x509 looks for. */
const FILES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/tls/cacert.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/**
 * The file of the authorities that the operating system trusts; `SSL_CERT_FILE` names another one, as for OpenSSL and Go.
 * Undefined where there is none.
 */
export function systemAuthorities(): string | undefined {
  const { SSL_CERT_FILE: named } = process.env;
  return named !== undefined && named !== "" ? named : FILES.find((file) => existsSync(file));
}
