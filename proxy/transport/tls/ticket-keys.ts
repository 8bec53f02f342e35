// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createHash, hkdfSync, randomBytes } from "node:crypto";

import type { Clock } from "../../../kernel/ports.ts";

/** The state of the keys in some period; plain data, which a pool sends to its workers. */
export interface TicketSecret {
  /** 32 bytes in base64. */
  readonly secret: string;
  /** Number of the period since the Unix epoch. */
  readonly period: number;
}

/** Time for which one key encrypts tickets. A ticket of the period before leads to a full handshake. */
const PERIOD_MS = 24 * 3_600_000;

/** Node's length: 16 bytes for each of the name, the HMAC's key and the key of AES. */
const KEY_BYTES = 48;

/**
 * Keys of TLS session tickets, a new one every day. The secret of each day is the hash of the one before: processes that
 * begin with the same secret have the same keys without a message, and the keys of past days cannot be computed from what
 * is in memory.
 */
export class TicketKeys {
  readonly #clock: Pick<Clock, "nowMs">;
  #secret: Buffer;
  #period: number;
  #key: Buffer | undefined;

  /** @param from The state of another process; default a random secret. */
  constructor(clock: Pick<Clock, "nowMs">, from?: TicketSecret) {
    this.#clock = clock;
    this.#secret = from === undefined ? randomBytes(32) : Buffer.from(from.secret, "base64");
    this.#period = from?.period ?? this.#periodNow();
  }

  /** The present state, for another process. */
  state(): TicketSecret {
    this.#advance();
    return { secret: this.#secret.toString("base64"), period: this.#period };
  }

  /** The present key. The same object until the key changes. */
  current(): Buffer {
    this.#advance();
    this.#key ??= Buffer.from(hkdfSync("sha256", this.#secret, "", "purser session ticket key", KEY_BYTES));
    return this.#key;
  }

  /** A clock that is set back leaves the key as it is. */
  #advance(): void {
    const now = this.#periodNow();
    // A clock that jumps by years does not hold the process: the processes of a pool jump together.
    if (now - this.#period > MAX_STEPS) this.#period = now - MAX_STEPS;
    for (; this.#period < now; this.#period++) {
      this.#secret = createHash("sha256").update("next period").update(this.#secret).digest();
      this.#key = undefined;
    }
  }

  #periodNow(): number {
    return Math.floor(this.#clock.nowMs() / PERIOD_MS);
  }
}

const MAX_STEPS = 10_000;
