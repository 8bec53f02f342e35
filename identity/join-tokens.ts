// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createHash, randomBytes } from "node:crypto";
import { PurserError } from "../kernel/errors.ts";
import type { TokenRecord } from "./state/state.ts";

/** Most tokens that can be used at one time. */
const MAX_TOKENS = 10_000;

/**
 * The join tokens that have not expired. A token is kept as a hash, and serves one key alone. The same key may use it again,
 * so that a proxy that has lost the reply can repeat its request.
 */
export class JoinTokens {
  readonly #open = new Map<string, TokenRecord>();

  constructor(records: readonly TokenRecord[]) {
    for (const record of records) this.#open.set(record.hash, record);
  }

  /** Number of tokens that no key has used. */
  get unusedCount(): number {
    return this.records().filter(({ usedBy }) => usedBy === undefined).length;
  }

  records(): readonly TokenRecord[] {
    return [...this.#open.values()];
  }

  /** @returns The secret. @throws {PurserError} PURSER_IDENTITY_FULL. */
  create(spiffeId: string, expiresAtMs: number): string {
    if (this.#open.size >= MAX_TOKENS)
      throw new PurserError("PURSER_IDENTITY_FULL", `there are ${MAX_TOKENS} open join tokens already`);
    const secret = randomBytes(32).toString("base64url");
    const hash = hashOf(secret);
    this.#open.set(hash, { hash, spiffeId, expiresAtMs });
    return secret;
  }

  /** The token of a secret; undefined when there is none, or when it has expired. */
  find(secret: string, nowMs: number): TokenRecord | undefined {
    // The lookup by hash shows no secret by the time that it takes: nobody can choose the hash.
    const record = this.#open.get(hashOf(secret));
    return record !== undefined && record.expiresAtMs > nowMs ? record : undefined;
  }

  /**
   * Uses a token up for a key.
   *
   * @param keyHash SHA-256 of the public key, in base64url.
   * @returns False when another key has used it, or when it has ended meanwhile.
   */
  use({ hash }: TokenRecord, keyHash: string): boolean {
    const record = this.#open.get(hash);
    if (record === undefined) return false;
    if (record.usedBy !== undefined) return record.usedBy === keyHash;
    this.#open.set(hash, { ...record, usedBy: keyHash });
    return true;
  }

  /** Ends the tokens of an identity. */
  endOf(spiffeId: string): void {
    for (const [hash, record] of this.#open) if (record.spiffeId === spiffeId) this.#open.delete(hash);
  }

  prune(nowMs: number): void {
    for (const [hash, { expiresAtMs }] of this.#open) if (expiresAtMs <= nowMs) this.#open.delete(hash);
  }
}

function hashOf(secret: string): string {
  return createHash("sha256").update(secret).digest("base64url");
}
