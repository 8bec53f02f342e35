// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Number of streams from which on their share is looked at; Envoy's overload.premature_reset_total_stream_count. */
const MIN_STREAMS = 500;

/**
 * Counts the streams that a client resets soon after it opened them (rapid reset, CVE-2023-44487): each costs the proxy a
 * request, and the client nothing. The rule is Envoy's: a connection is closed when more than half of its streams, of 500 at
 * least, were such.
 */
export class PrematureResets {
  #closed = 0;
  #premature = 0;

  /** @returns Whether the connection must be closed. */
  onStreamClosed(isPremature: boolean): boolean {
    this.#closed++;
    if (isPremature) this.#premature++;
    return isPremature && this.#premature * 2 > Math.max(this.#closed, MIN_STREAMS);
  }
}
