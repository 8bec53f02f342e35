// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { PurserError } from "../kernel/errors.ts";
import type { JournalEntry, RevokedId, RevokedSerial } from "./state/state.ts";

/** Most revoked identities: each proxy holds all of them. */
const MAX_REVOKED_IDS = 10_000;
/** Most revoked certificates of identities, live ones alone. */
const MAX_REVOKED_SERIALS = 100_000;

/** The identities that are revoked, and the certificates that they had. */
export class Revocations {
  readonly #ids = new Map<string, RevokedId>();
  readonly #serials = new Map<string, RevokedSerial>();

  constructor(ids: readonly RevokedId[], serials: readonly RevokedSerial[]) {
    for (const revoked of ids) this.#ids.set(revoked.spiffeId, revoked);
    for (const revoked of serials) this.#serials.set(revoked.serial, revoked);
  }

  ids(): readonly RevokedId[] {
    return [...this.#ids.values()];
  }

  serials(): readonly RevokedSerial[] {
    return [...this.#serials.values()];
  }

  covers(spiffeId: string, serial?: string): boolean {
    return this.#ids.has(spiffeId) || (serial !== undefined && this.#serials.has(serial));
  }

  /**
   * Revokes an identity with its live certificates.
   *
   * @returns Whether it was not revoked before.
   * @throws {PurserError} PURSER_IDENTITY_FULL.
   */
  revoke(revoked: RevokedId, certificates: readonly JournalEntry[]): boolean {
    const isNew = !this.#ids.has(revoked.spiffeId);
    if (isNew && this.#ids.size >= MAX_REVOKED_IDS)
      throw new PurserError("PURSER_IDENTITY_FULL", `${MAX_REVOKED_IDS} identities are revoked already`);
    if (this.#serials.size + certificates.length > MAX_REVOKED_SERIALS)
      throw new PurserError(
        "PURSER_IDENTITY_FULL",
        `${MAX_REVOKED_SERIALS} certificates are revoked already`,
      );
    if (isNew) this.#ids.set(revoked.spiffeId, revoked);
    // The serials outlive the revocation of the identity: whoever stole a key may not use it after a restore.
    for (const { serial, notAfterMs } of certificates) this.#serials.set(serial, { serial, notAfterMs });
    return isNew;
  }

  /** @returns Whether the identity was revoked. */
  restore(spiffeId: string): boolean {
    return this.#ids.delete(spiffeId);
  }

  /** Forgets certificates that have ended. @returns Whether there were any. */
  prune(nowMs: number): boolean {
    const before = this.#serials.size;
    for (const [serial, { notAfterMs }] of this.#serials)
      if (notAfterMs < nowMs) this.#serials.delete(serial);
    return this.#serials.size < before;
  }
}
