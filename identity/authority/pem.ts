// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createHash, X509Certificate } from "node:crypto";

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** The certificates of a PEM text, each as PEM text with a final line end. Anything between them is ignored. */
export function certificatesIn(pem: string): readonly string[] {
  return (pem.match(CERTIFICATE) ?? []).map((block) => `${block}\n`);
}

/** SHA-256 of the DER form, in base64url: how join tokens name a root. */
export function pinOf(pem: string): string {
  return createHash("sha256").update(new X509Certificate(pem).raw).digest("base64url");
}

/** A serial number in the form in which revocations name it: hexadecimal, upper case, without leading zeros. */
export function canonicalSerial(serial: string): string {
  const digits = serial.replaceAll(":", "").replace(/^0+(?=.)/, "");
  return digits.toUpperCase();
}
