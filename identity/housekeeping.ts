// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { messageOf } from "../kernel/errors.ts";
import type { Cancel } from "../kernel/ports.ts";
import type { IdentityParts } from "./parts.ts";

/** How often ended certificates are forgotten, and a rotation's next step is tried. */
const TICK_MS = 1_000;

/** Forgets what has ended, and takes a rotation's steps. */
export class Housekeeping {
  readonly #parts: IdentityParts;
  readonly #cancel: Cancel;
  #advancing = false;

  constructor(parts: IdentityParts) {
    this.#parts = parts;
    this.#cancel = parts.options.scheduler.every(TICK_MS, () => void this.#tick());
  }

  close(): void {
    this.#cancel();
  }

  async #tick(): Promise<void> {
    const { options, journal, tokens, revocations } = this.#parts;
    const nowMs = options.clock.nowMs();
    journal.prune(nowMs);
    tokens.prune(nowMs);
    if (revocations.prune(nowMs)) this.#parts.publish();
    if (this.#advancing) return;
    this.#advancing = true;
    try {
      await this.#advance(nowMs);
    } catch (error) {
      options.logger.error("a rotation of the root could not go on", { error: messageOf(error) });
    } finally {
      this.#advancing = false;
    }
  }

  async #advance(nowMs: number): Promise<void> {
    const { rotation, journal, publisher, keeper, options } = this.#parts;
    const before = rotation.signers;
    if (!rotation.advance(journal, publisher.current.bundleVersion, nowMs)) return;
    try {
      await keeper.save();
    } catch (error) {
      // Tried again with the next tick.
      rotation.restore(before);
      throw error;
    }
    options.logger.info("a rotation of the root took a step", {
      signers: rotation.signers.map(({ signer, state }) => ({ id: signer.id, state })),
    });
    this.#parts.publish();
  }
}
