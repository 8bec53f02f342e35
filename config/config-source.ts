// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Checked, Diagnostic } from "../kernel/diagnostic.ts";
import type { Snapshot } from "../core/snapshot/snapshot.ts";

/** A source of documents. It publishes complete, valid sets, and keeps the last one when a set is refused. */
export interface ConfigSource {
  /** The set in force; undefined until the first valid set. */
  readonly current: Snapshot | undefined;
  /** Diagnostics of the newest set when it was refused; undefined when it is in force. */
  readonly lastRejection: readonly Diagnostic[] | undefined;
  /**
   * Reads the first set, and follows changes from then on, whether the first set was valid or not. Called
   * once.
   */
  start(): Promise<Checked<Snapshot>>;
  /**
   * Calls `listener` with every valid set after the first one, and with the set in force when a refused edit
   * is reverted. Returns a function that ends the subscription.
   */
  subscribe(listener: (snapshot: Snapshot) => void): () => void;
  /**
   * Calls `listener` with the diagnostics of every set refused after the first one; returns a function that
   * ends it.
   */
  onRejected(listener: (diagnostics: readonly Diagnostic[]) => void): () => void;
  /** Stops watching. May be called twice; no listener is called afterwards. */
  close(): Promise<void>;
}
