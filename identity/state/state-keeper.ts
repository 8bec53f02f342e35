// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { IdentityState, StateStore } from "./state.ts";

/** Writes the state, one write at a time. */
export class StateKeeper {
  readonly #store: StateStore;
  readonly #stateNow: () => IdentityState;
  #saving: Promise<void> = Promise.resolve();

  constructor(store: StateStore, stateNow: () => IdentityState) {
    this.#store = store;
    this.#stateNow = stateNow;
  }

  /** Writes the state as it is when the write begins. @throws {PurserError} PURSER_IDENTITY_STATE. */
  save(): Promise<void> {
    const saved = this.#saving.then(() => this.#store.save(this.#stateNow()));
    this.#saving = saved.catch(() => {});
    return saved;
  }

  /** Resolves when all is written. */
  async flush(): Promise<void> {
    await this.#saving;
  }
}
