// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** The signature algorithms of RFC 7518 (section 3.1), RFC 8037 and RFC 9864 that a token may name. `none` is not one of them. */
export const ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
  "HS256",
  "HS384",
  "HS512",
] as const;

export type Algorithm = (typeof ALGORITHMS)[number];

export function isAlgorithm(name: string): name is Algorithm {
  return (ALGORITHMS as readonly string[]).includes(name);
}

/** The algorithms of RSA keys, which need 2048 bits or more (RFC 7518, sections 3.3 and 3.5). */
export const RSA_ALGORITHMS: readonly Algorithm[] = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];

/** Each curve has one algorithm (RFC 7518, section 3.4), and coordinates of one size in bytes (section 6.2.1.2). */
export const EC_CURVES: ReadonlyMap<string, { readonly algorithm: Algorithm; readonly bytes: number }> =
  new Map([
    ["P-256", { algorithm: "ES256", bytes: 32 }],
    ["P-384", { algorithm: "ES384", bytes: 48 }],
    ["P-521", { algorithm: "ES512", bytes: 66 }],
  ]);

/** Names of Ed25519: RFC 8037 says EdDSA, RFC 9864 replaces it by Ed25519. */
export const ED25519_ALGORITHMS: readonly Algorithm[] = ["EdDSA", "Ed25519"];

/** A secret has at least as many bytes as the hash (RFC 7518, section 3.2). */
export const HMAC_BYTES: readonly (readonly [algorithm: Algorithm, bytes: number])[] = [
  ["HS256", 32],
  ["HS384", 48],
  ["HS512", 64],
];
