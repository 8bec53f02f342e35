// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createPrivateKey, createPublicKey, type KeyObject, webcrypto } from "node:crypto";
import { PurserError } from "../../kernel/errors.ts";

/** A key as the X.509 library signs with it. */
export interface SigningKey {
  readonly key: webcrypto.CryptoKey;
  readonly algorithm: KeyAlgorithm;
}

/** Parameters of WebCrypto for a key and its signatures. */
export interface KeyAlgorithm {
  readonly name: "ECDSA" | "RSASSA-PKCS1-v1_5";
  readonly namedCurve?: "P-256" | "P-384";
  readonly hash: "SHA-256" | "SHA-384";
}

const P256: KeyAlgorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const P384: KeyAlgorithm = { name: "ECDSA", namedCurve: "P-384", hash: "SHA-384" };
const RSA: KeyAlgorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };

/** Sizes of RSA keys, in bits. Below: NIST SP 800-131A forbids them. Above: one signature costs milliseconds. */
const MIN_RSA_BITS = 2_048;
const MAX_RSA_BITS = 4_096;

/** Other exponents make the check of a signature arbitrarily slow. */
const RSA_EXPONENT = 65_537n;

/** The algorithm of a key: ECDSA on P-256 or P-384, or RSA of 2,048 to 4,096 bits; undefined for all others. */
export function algorithmOf(key: KeyObject): KeyAlgorithm | undefined {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details = {} } = key;
  if (type === "ec") {
    if (details.namedCurve === "prime256v1") return P256;
    return details.namedCurve === "secp384r1" ? P384 : undefined;
  }
  const { modulusLength = 0, publicExponent } = details;
  const isRsa = type === "rsa" && modulusLength >= MIN_RSA_BITS && modulusLength <= MAX_RSA_BITS;
  return isRsa && publicExponent === RSA_EXPONENT ? RSA : undefined;
}

/** A new private key, ECDSA on P-256, in PKCS #8 as PEM. */
export async function newPrivateKey(): Promise<string> {
  const { privateKey } = (await webcrypto.subtle.generateKey(P256, true, [
    "sign",
    "verify",
  ])) as webcrypto.CryptoKeyPair;
  const der = await webcrypto.subtle.exportKey("pkcs8", privateKey);
  return createPrivateKey({ key: Buffer.from(der), format: "der", type: "pkcs8" })
    .export({ type: "pkcs8", format: "pem" })
    .toString();
}

/** @throws {PurserError} PURSER_IDENTITY_SIGNER when the PEM text is no private key, or one of an unsuitable kind. */
export async function signingKeyOf(pem: string): Promise<SigningKey> {
  const object = privateKeyOf(pem);
  const algorithm = algorithmOf(object);
  if (algorithm === undefined)
    throw new PurserError(
      "PURSER_IDENTITY_SIGNER",
      `the authority's key must be ECDSA on P-256 or P-384, or RSA of ${MIN_RSA_BITS} to ${MAX_RSA_BITS} bits`,
    );
  const der = object.export({ type: "pkcs8", format: "der" });
  return { key: await webcrypto.subtle.importKey("pkcs8", der, algorithm, false, ["sign"]), algorithm };
}

/** The public key of a private key, as the X.509 library writes it into certificates. */
export async function publicKeyOf(pem: string): Promise<webcrypto.CryptoKey> {
  const object = createPublicKey(privateKeyOf(pem));
  const algorithm = algorithmOf(object) ?? P256;
  const der = object.export({ type: "spki", format: "der" });
  return webcrypto.subtle.importKey("spki", der, algorithm, true, ["verify"]);
}

function privateKeyOf(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // OpenSSL's message may quote the text, which is secret.
    throw new PurserError(
      "PURSER_IDENTITY_SIGNER",
      "the authority's key is not an unencrypted private key in PEM",
    );
  }
}
