// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";

/** PEM texts that were found to belong together. */
export interface Material {
  readonly certificate: string | undefined;
  readonly privateKey: string | undefined;
  readonly authorities: string | undefined;
  /** Wall-clock time in milliseconds after which the first of the certificates is no longer valid; Infinity for none. */
  readonly expiresAtMs: number;
}

export type MaterialTexts = Omit<Material, "expiresAtMs">;

const CERTIFICATE =
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]*-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;

/**
 * Checks that the texts are whole certificates and a key that belongs to the first of them.
 *
 * @throws {Error} with a message for the operator, which has no part of the key.
 */
export function checkedMaterial(texts: MaterialTexts): Material {
  const { certificate, privateKey, authorities } = texts;
  const expiries = [
    ...(certificate === undefined ? [] : certificatesOf(certificate, "the certificate's file")),
    ...(authorities === undefined ? [] : certificatesOf(authorities, "the file of the authorities")),
  ].map(({ validTo }) => Date.parse(validTo));
  if (certificate !== undefined && privateKey !== undefined) {
    try {
      createSecureContext({ cert: certificate, key: privateKey });
    } catch (error) {
      throw new Error(`the certificate and the key do not belong together: ${reasonOf(error)}`, {
        cause: error,
      });
    }
  }
  return { ...texts, expiresAtMs: Math.min(Infinity, ...expiries) };
}

function certificatesOf(text: string, what: string): readonly X509Certificate[] {
  const blocks = text.match(CERTIFICATE) ?? [];
  if (blocks.length === 0 || blocks.length !== text.split("-----BEGIN").length - 1)
    throw new Error(`${what} has something that is not a whole certificate in PEM`);
  return blocks.map((block) => {
    try {
      return new X509Certificate(block);
    } catch (error) {
      throw new Error(`${what} has a certificate that cannot be read: ${reasonOf(error)}`, { cause: error });
    }
  });
}

/** OpenSSL's reason, such as `key values mismatch`, without its position in OpenSSL's sources. */
function reasonOf(error: unknown): string {
  const { reason, message } = error as Error & { readonly reason?: string };
  return reason ?? message;
}
