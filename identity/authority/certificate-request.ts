// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createHash, createPublicKey } from "node:crypto";
import { messageOf, PurserError } from "../../kernel/errors.ts";
import { algorithmOf } from "./keys.ts";
import type { X509Library } from "./x509-library.ts";

/** Largest request in PEM, in characters: one with an RSA key of 4,096 bits has about 1,700. */
export const MAX_REQUEST_LENGTH = 8_192;

/** RFC 5280, section 4.2.1.6. */
const SUBJECT_ALT_NAME = "2.5.29.17";

/** A checked request for a certificate (PKCS #10, RFC 2986). */
export interface CertificateRequest {
  readonly publicKey: InstanceType<X509Library["PublicKey"]>;
  /** SHA-256 of the public key, in base64url. */
  readonly keyHash: string;
  /** URIs that the request names; the authority decides the identity, and refuses a request that names another. */
  readonly uris: readonly string[];
}

/**
 * Reads a request, and checks that its sender holds the private key and that the key is of a permitted kind. Subject and
 * other names are ignored.
 *
 * @throws {PurserError} PURSER_IDENTITY_REQUEST.
 */
export async function readCertificateRequest(x509: X509Library, pem: string): Promise<CertificateRequest> {
  if (pem.length > MAX_REQUEST_LENGTH) throw refused(`it has more than ${MAX_REQUEST_LENGTH} characters`);
  if (!pem.includes("-----BEGIN CERTIFICATE REQUEST-----"))
    throw refused("it is not a certificate request in PEM");
  try {
    const request = new x509.Pkcs10CertificateRequest(pem);
    const key = createPublicKey({ key: Buffer.from(request.publicKey.rawData), format: "der", type: "spki" });
    if (algorithmOf(key) === undefined)
      throw refused("its key must be ECDSA on P-256 or P-384, or RSA of 2,048 to 4,096 bits");
    if (!(await request.verify())) throw refused("its signature is not its key's");
    const names = request.getExtension(SUBJECT_ALT_NAME);
    const items = names === null ? [] : new x509.SubjectAlternativeNameExtension(names.rawData).names.items;
    const uris = items.filter(({ type }) => type === "url").map(({ value }) => value);
    const keyHash = createHash("sha256").update(Buffer.from(request.publicKey.rawData)).digest("base64url");
    return { publicKey: request.publicKey, keyHash, uris };
  } catch (error) {
    throw error instanceof PurserError ? error : refused(`it cannot be read: ${messageOf(error)}`);
  }
}

function refused(fault: string): PurserError {
  return new PurserError("PURSER_IDENTITY_REQUEST", `the certificate request is refused: ${fault}`);
}
