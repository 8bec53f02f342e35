// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  type Algorithm,
  EC_CURVES,
  ED25519_ALGORITHMS,
  HMAC_BYTES,
  isAlgorithm,
  RSA_ALGORITHMS,
} from "./algorithms.ts";
import { decodeBase64Url } from "./base64url.ts";

/** A key that verifies signatures. */
export interface VerifyingKey {
  readonly id: string | undefined;
  /** The algorithms that the key's type, curve and `alg` allow; a token with another one is never verified by the key. */
  readonly algorithms: readonly Algorithm[];
  /** The members that make the key, without any of a private key. */
  readonly members: Readonly<Record<string, string>>;
}

/** A key that is not used. */
export interface UnusedKey {
  /** `foreign`: another kind of key, which RFC 7517 (section 5) says to ignore. `malformed`: a mistake. */
  readonly why: "foreign" | "malformed";
  /** The end of a sentence about the key. */
  readonly reason: string;
}

const MIN_RSA_BYTES = 2_048 / 8;
/** The work of a verification grows with the square of the modulus. */
const MAX_RSA_BYTES = 8_192 / 8;
/** Public exponents are small; a large one makes verification slow. */
const MAX_EXPONENT_BYTES = 8;

/** Whether an HMAC secret may be a key: in documents only, since whoever reads a URL could sign tokens. */
export type Secrets = "accepted" | "refused";

/** Reads one member of a key set (RFC 7517, section 4). */
export function readKey(value: unknown, secrets: Secrets): VerifyingKey | UnusedKey {
  if (!isRecord(value)) return malformed("is not an object");
  const { kty, kid, alg, use } = value;
  if (typeof kty !== "string") return malformed('has no "kty"');
  if (kid !== undefined && typeof kid !== "string") return malformed('has a "kid" that is no text');
  if (alg !== undefined && typeof alg !== "string") return malformed('has an "alg" that is no text');
  if (use !== undefined && use !== "sig") return foreign(`is not for signatures ("use": ${text(use)})`);
  const operations = value["key_ops"];
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes("verify")))
    return foreign('is not for verifying signatures ("key_ops")');
  const made = makeKey(kty, value, secrets);
  if ("why" in made) return made;
  if (alg === undefined) return { id: kid, ...made };
  if (!isAlgorithm(alg)) return foreign(`is for the algorithm ${text(alg)}`);
  if (!made.algorithms.includes(alg)) return malformed(`cannot be used with its "alg" ${text(alg)}`);
  return { id: kid, members: made.members, algorithms: [alg] };
}

type MadeKey = Pick<VerifyingKey, "algorithms" | "members">;

function makeKey(
  kty: string,
  value: Readonly<Record<string, unknown>>,
  secrets: Secrets,
): MadeKey | UnusedKey {
  if (kty !== "oct" && "d" in value)
    return malformed(
      'has a private key ("d"), with which anybody can sign tokens: leave only the public key',
    );
  switch (kty) {
    case "RSA":
      return rsaKey(value);
    case "EC":
      return ecKey(value);
    case "OKP":
      return okpKey(value);
    case "oct":
      return secrets === "accepted" ? secretKey(value) : foreign("is a secret, which a URL must not publish");
    default:
      return foreign(`is of the type ${text(kty)}`);
  }
}

function rsaKey({ n, e }: Readonly<Record<string, unknown>>): MadeKey | UnusedKey {
  const modulus = bytesOf(n);
  const exponent = bytesOf(e);
  if (typeof n !== "string" || modulus === undefined) return malformed('has no "n" in base64url');
  if (typeof e !== "string" || exponent === undefined) return malformed('has no "e" in base64url');
  const significant = modulus.findIndex((byte) => byte !== 0);
  const length = significant < 0 ? 0 : modulus.length - significant;
  if (length < MIN_RSA_BYTES) return malformed("has fewer than 2048 bits");
  if (length > MAX_RSA_BYTES) return malformed("has more than 8192 bits");
  if (exponent.length > MAX_EXPONENT_BYTES) return malformed("has a public exponent of more than 64 bits");
  return { algorithms: RSA_ALGORITHMS, members: { kty: "RSA", n, e } };
}

function ecKey({ crv, x, y }: Readonly<Record<string, unknown>>): MadeKey | UnusedKey {
  const curve = typeof crv === "string" ? EC_CURVES.get(crv) : undefined;
  if (typeof crv !== "string") return malformed('has no "crv"');
  if (curve === undefined) return foreign(`is on the curve ${text(crv)}`);
  const { algorithm, bytes } = curve;
  if (typeof x !== "string" || bytesOf(x)?.length !== bytes)
    return malformed(`has no "x" of ${bytes} bytes in base64url`);
  if (typeof y !== "string" || bytesOf(y)?.length !== bytes)
    return malformed(`has no "y" of ${bytes} bytes in base64url`);
  return { algorithms: [algorithm], members: { kty: "EC", crv, x, y } };
}

function okpKey({ crv, x }: Readonly<Record<string, unknown>>): MadeKey | UnusedKey {
  if (typeof crv !== "string") return malformed('has no "crv"');
  if (crv !== "Ed25519") return foreign(`is on the curve ${text(crv)}`);
  if (typeof x !== "string" || bytesOf(x)?.length !== 32)
    return malformed('has no "x" of 32 bytes in base64url');
  return { algorithms: ED25519_ALGORITHMS, members: { kty: "OKP", crv, x } };
}

function secretKey({ k }: Readonly<Record<string, unknown>>): MadeKey | UnusedKey {
  const secret = bytesOf(k);
  if (typeof k !== "string" || secret === undefined) return malformed('has no "k" in base64url');
  const algorithms = HMAC_BYTES.flatMap(([algorithm, bytes]) => (secret.length >= bytes ? [algorithm] : []));
  if (algorithms.length === 0) return malformed("is a secret of fewer than 256 bits");
  return { algorithms, members: { kty: "oct", k } };
}

function bytesOf(value: unknown): Uint8Array | undefined {
  return typeof value === "string" && value !== "" ? decodeBase64Url(value) : undefined;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function malformed(reason: string): UnusedKey {
  return { why: "malformed", reason };
}

function foreign(reason: string): UnusedKey {
  return { why: "foreign", reason };
}

/** A value of the key set as it is quoted in messages. */
function text(value: unknown): string {
  const written = JSON.stringify(value) ?? "undefined";
  return written.length > 40 ? `${written.slice(0, 40)}…` : written;
}
