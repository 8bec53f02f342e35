// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { DEFAULT_TOKEN_PLACES, type JwtRule } from "../../core/traffic/resources/request-authentication.ts";

/** An issuer of tokens for tests. It signs by node:crypto, not by the library that verifies. */
export interface Issuer {
  readonly name: string;
  readonly keyId: string;
  /** The public key, as a member of a key set. */
  readonly jwk: Readonly<Record<string, unknown>>;
  /** A key set with this key alone, as JSON text. */
  readonly jwks: string;
  /** A signed token with these claims, over `iss`, `sub` and `exp` of its own. */
  token(claims?: object, header?: object): string;
}

export type KeyKind = "RS256" | "PS256" | "ES256" | "ES384" | "ES512" | "EdDSA";

/** The issuer's tokens are valid for an hour from this time on, in ms since the epoch. */
export const NOW_MS = 1_800_000_000_000;

export function issuerOf(name: string, kind: KeyKind = "ES256", keyId = "key-1"): Issuer {
  const { publicKey, privateKey } = keysOf(kind);
  const jwk = { ...publicKey.export({ format: "jwk" }), kid: keyId, use: "sig", alg: kind };
  return {
    name,
    keyId,
    jwk,
    jwks: JSON.stringify({ keys: [jwk] }),
    token(claims = {}, header = {}) {
      const defaults = { iss: name, sub: "ann", exp: NOW_MS / 1_000 + 3_600 };
      const input = `${encoded({ alg: kind, kid: keyId, ...header })}.${encoded({ ...defaults, ...claims })}`;
      return `${input}.${signatureOf(kind, privateKey, input)}`;
    },
  };
}

export function encoded(value: unknown): string {
  return Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
}

function keysOf(kind: KeyKind): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  switch (kind) {
    case "RS256":
    case "PS256":
      return generateKeyPairSync("rsa", { modulusLength: 2_048 });
    case "ES256":
      return generateKeyPairSync("ec", { namedCurve: "P-256" });
    case "ES384":
      return generateKeyPairSync("ec", { namedCurve: "P-384" });
    case "ES512":
      return generateKeyPairSync("ec", { namedCurve: "P-521" });
    case "EdDSA":
      return generateKeyPairSync("ed25519");
  }
}

function signatureOf(kind: KeyKind, key: KeyObject, input: string): string {
  const hash = kind === "EdDSA" ? null : `sha${kind.slice(2)}`;
  const options =
    kind === "PS256" ? { key, padding: 6, saltLength: 32 } : { key, dsaEncoding: "ieee-p1363" as const };
  return sign(hash, Buffer.from(input), options).toString("base64url");
}

/** A rule with the issuer's keys in the document. */
export function ruleOf(issuer: Pick<Issuer, "name" | "jwks">, more: Partial<JwtRule> = {}): JwtRule {
  return {
    document: "users",
    issuer: issuer.name,
    audiences: [],
    keys: { kind: "inline", jwks: issuer.jwks },
    places: DEFAULT_TOKEN_PLACES,
    claimHeaders: [],
    forwardsToken: false,
    spaceDelimitedClaims: [],
    ...more,
  };
}
