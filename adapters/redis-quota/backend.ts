// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Script } from "./lua-script.ts";

/** One run of a script. */
export interface ScriptRun {
  readonly script: Script;
  readonly keys: readonly string[];
  readonly args: readonly string[];
  /** The hash slot of all keys, 0 to 16383; only a cluster reads it. */
  readonly slot: number;
}

/** The servers that run scripts: one server, the primary that Sentinels name, or a cluster. */
export interface Backend {
  /**
   * Runs a script on the server that has the slot, and sends its source when the server has lost it. No command
   * is queued while there is no connection, and none is sent twice, except to the node to which a cluster
   * redirects it without having run it.
   *
   * @throws The client library's error, or that of the lost connection.
   */
  evaluate(run: ScriptRun): Promise<unknown>;
  /** Resolves when every server that counts has answered. */
  ping(): Promise<void>;
  /** Closes at once: commands under way are rejected. Safe to call twice. */
  close(): void;
}
