// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Checked, Diagnostic } from "../kernel/diagnostic.ts";
import type { Snapshot } from "../core/snapshot/snapshot.ts";

/** Where a program's documents come from. It publishes whole good sets, and keeps the last one when a set is refused. */
export interface ConfigSource {
  /** The set in force; undefined until the first good one. */
  readonly current: Snapshot | undefined;
  /** Why the newest set was refused; undefined when it is the one in force. */
  readonly lastRejection: readonly Diagnostic[] | undefined;
  /** Reads the first set, and goes on to follow changes, whether it was good or not. Called once. */
  start(): Promise<Checked<Snapshot>>;
  /**
   * Calls `listener` with every good set after the first one, and with the one in force when an edit that was refused is
   * taken back; returns what ends that.
   */
  subscribe(listener: (snapshot: Snapshot) => void): () => void;
  /** Calls `listener` with the faults of every set refused after the first one; returns what ends that. */
  onRejected(listener: (diagnostics: readonly Diagnostic[]) => void): () => void;
  /** Ends all watching. May be called twice; nobody is called afterwards. */
  close(): Promise<void>;
}
