// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { webcrypto } from "node:crypto";
import "reflect-metadata";
import * as x509 from "@peculiar/x509";

x509.cryptoProvider.set(webcrypto);

export const P256 = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
export const P384 = { name: "ECDSA", namedCurve: "P-384", hash: "SHA-384" } as const;
export const P521 = { name: "ECDSA", namedCurve: "P-521", hash: "SHA-512" } as const;
export const rsa = (modulusLength: number) => ({
  name: "RSASSA-PKCS1-v1_5",
  hash: "SHA-256",
  modulusLength,
  publicExponent: new Uint8Array([1, 0, 1]),
});

export interface RequestOptions {
  readonly algorithm?: typeof P256 | typeof P384 | typeof P521 | ReturnType<typeof rsa>;
  readonly subject?: string;
  readonly uris?: readonly string[];
  readonly dnsNames?: readonly string[];
  /** Signs with another key than the one that is to be certified. */
  readonly isForged?: boolean;
}

/** A request for a certificate in PEM, with the key that signs it. */
export async function certificateRequest({
  algorithm = P256,
  subject = "",
  uris = [],
  dnsNames = [],
  isForged = false,
}: RequestOptions = {}): Promise<{ readonly pem: string; readonly keys: webcrypto.CryptoKeyPair }> {
  const newKeys = async () =>
    (await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as webcrypto.CryptoKeyPair;
  const keys = await newKeys();
  const names = [
    ...uris.map((value) => ({ type: "url", value }) as const),
    ...dnsNames.map((value) => ({ type: "dns", value }) as const),
  ];
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: subject,
    keys: isForged ? { publicKey: keys.publicKey, privateKey: (await newKeys()).privateKey } : keys,
    signingAlgorithm: algorithm,
    extensions: names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)],
  });
  return { pem: request.toString("pem"), keys };
}
