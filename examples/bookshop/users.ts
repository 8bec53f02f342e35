// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { generateKeyPair, type KeyObject, sign } from "node:crypto";
import { promisify } from "node:util";

// The issuer of the bookshop's tokens. A real one is a login service, which signs a token for each user.

const ISSUER = "https://login.bookshop.example";
const KEY_ID = "bookshop";
const TOKEN_LIFETIME_S = 8 * 3_600;

/** A document that trusts a new key, and a token that the key has signed; nobody keeps the key. */
export interface Users {
  /** The RequestAuthentication of the service `ratings`, with the public key. */
  readonly document: string;
  /** A JSON Web Token (RFC 7519) of a member of the group `moderators`, valid for eight hours. */
  readonly moderatorToken: string;
}

/** @param nowMs The time, in milliseconds since the Unix epoch. */
export async function createUsers(nowMs: number): Promise<Users> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)("ec", { namedCurve: "P-256" });
  const jwk = { ...publicKey.export({ format: "jwk" }), kid: KEY_ID, alg: "ES256", use: "sig" };
  const issuedAtS = Math.floor(nowMs / 1_000);
  const claims = {
    iss: ISSUER,
    sub: "moderator",
    groups: ["moderators"],
    iat: issuedAtS,
    exp: issuedAtS + TOKEN_LIFETIME_S,
  };
  return { document: documentOf({ keys: [jwk] }), moderatorToken: tokenOf(claims, privateKey) };
}

/** JSON has no quote of YAML's single-quoted texts, unless a value has one: a key has none. */
function documentOf(jwks: object): string {
  return `apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: users, namespace: bookshop }
spec:
  selector: { matchLabels: { app: ratings } }
  jwtRules:
    - issuer: ${ISSUER}
      jwks: '${JSON.stringify(jwks)}'
`;
}

/** The compact serialization of a JSON Web Signature (RFC 7515, section 3.1) by ES256 (RFC 7518, section 3.4). */
function tokenOf(claims: object, key: KeyObject): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${part({ alg: "ES256", typ: "JWT", kid: KEY_ID })}.${part(claims)}`;
  const signature = sign("sha256", Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" });
  return `${signed}.${signature.toString("base64url")}`;
}
