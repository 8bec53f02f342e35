// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { compactVerify, type CryptoKey, importJWK } from "jose";
import type { Algorithm } from "../../core/traffic/authentication/algorithms.ts";
import type { SignedText } from "../../core/traffic/authentication/compact-token.ts";
import type { VerifyingKey } from "../../core/traffic/authentication/json-web-key.ts";

/** Keys that one token is tried with at most. Issuers have a few keys, and name the right one in the token. */
const MAX_TRIES = 10;

/** `no_key`: no key has the token's id and algorithm. */
export type Verification = "verified" | "signature" | "no_key";

/** One state of an issuer's keys. */
export class KeySet {
  readonly #keys: readonly ImportedKey[];

  constructor(keys: readonly VerifyingKey[]) {
    this.#keys = keys.map((key) => new ImportedKey(key));
  }

  /** Whether a key has the id. An issuer that has changed its keys has one that this set does not know. */
  knows(keyId: string | undefined): boolean {
    return keyId !== undefined && this.#keys.some(({ key }) => key.id === keyId);
  }

  /**
   * Verifies a signature by the keys with the token's algorithm and id. A key without an id is tried with any token, and a
   * token without an id with any key (RFC 7515, section 4.1.4), as in Envoy.
   */
  async verify({ text, algorithm, keyId }: SignedText): Promise<Verification> {
    const fitting = this.#keys
      .filter(
        ({ key: { id, algorithms } }) =>
          algorithms.includes(algorithm) && (id === undefined || keyId === undefined || id === keyId),
      )
      .slice(0, MAX_TRIES);
    for (const key of fitting) if (await key.verifies(text, algorithm)) return "verified";
    return fitting.length === 0 ? "no_key" : "signature";
  }
}

/** A key, imported at its first use with an algorithm. */
class ImportedKey {
  readonly key: VerifyingKey;
  readonly #imported = new Map<Algorithm, Promise<CryptoKey | Uint8Array>>();

  constructor(key: VerifyingKey) {
    this.key = key;
  }

  /** @returns False also for a key that cannot be imported, such as a point that is not on its curve. */
  async verifies(text: string, algorithm: Algorithm): Promise<boolean> {
    try {
      await compactVerify(text, await this.#for(algorithm), { algorithms: [algorithm] });
      return true;
    } catch {
      return false;
    }
  }

  #for(algorithm: Algorithm): Promise<CryptoKey | Uint8Array> {
    const known = this.#imported.get(algorithm);
    if (known !== undefined) return known;
    const imported = importJWK({ ...this.key.members }, algorithm);
    this.#imported.set(algorithm, imported);
    return imported;
  }
}
