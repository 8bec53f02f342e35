// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { IdentityState, JournalEntry, StateStore } from "./state.ts";

/** The state in memory, for demonstrations: it ends with the process, and every workload joins anew. */
export class MemoryStore implements StateStore {
  #state: IdentityState | undefined;
  #entries: JournalEntry[] = [];

  load(): Promise<IdentityState | undefined> {
    return Promise.resolve(this.#state);
  }

  save(state: IdentityState): Promise<void> {
    this.#state = state;
    return Promise.resolve();
  }

  loadJournal(): Promise<readonly JournalEntry[] | undefined> {
    return Promise.resolve(this.#state === undefined ? undefined : this.#entries);
  }

  appendJournal(entry: JournalEntry): Promise<void> {
    this.#entries.push(entry);
    return Promise.resolve();
  }

  saveJournal(entries: readonly JournalEntry[]): Promise<void> {
    this.#entries = [...entries];
    return Promise.resolve();
  }
}
