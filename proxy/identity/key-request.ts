// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createPrivateKey, webcrypto } from "node:crypto";

/** A new key with the request to certify it. */
export interface KeyRequest {
  /** PKCS #10 (RFC 2986) in PEM, without names: the identity service decides the identity. */
  readonly certificateRequest: string;
  /** PKCS #8 in PEM. It never leaves this process. */
  readonly privateKey: string;
}

/** Node.js has a large advantage with P-256: OpenSSL's assembler signs in some 20 µs, P-384 takes twenty times as long. */
const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/** Makes a key, ECDSA on P-256, and its request. The X.509 library is loaded here, at its first use. */
export async function newKeyRequest(): Promise<KeyRequest> {
  // The library's dependency container refuses to load without it.
  await import("reflect-metadata");
  const x509 = await import("@peculiar/x509");
  x509.cryptoProvider.set(webcrypto);
  const keys = (await webcrypto.subtle.generateKey(ALGORITHM, true, [
    "sign",
    "verify",
  ])) as webcrypto.CryptoKeyPair;
  const request = await x509.Pkcs10CertificateRequestGenerator.create({ keys, signingAlgorithm: ALGORITHM });
  const der = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  const privateKey = createPrivateKey({ key: Buffer.from(der), format: "der", type: "pkcs8" });
  return {
    certificateRequest: `${request.toString("pem")}\n`,
    privateKey: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}
