// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Interval of the checks, and the time in which a PING must be answered: gRPC's default for its keep-alive timeout. */
export const CHECK_MS = 20_000;

/** Silence after which a PING is sent: gRPC's servers take more than one in 5 minutes for abuse. */
const SILENT_CHECKS = 300_000 / CHECK_MS;

/**
 * Decides when a connection with requests under way needs a PING (RFC 9113, section 6.7), and when it is dead. A peer whose
 * host vanished would otherwise keep requests until their timeouts, and take new ones.
 */
export class SignsOfLife {
  #receivedBytes = -1;
  #silentChecks = 0;

  /**
   * Called every `CHECK_MS`.
   *
   * @param receivedBytes Bytes that came on the connection so far.
   */
  check(hasRequests: boolean, receivedBytes: number): "alive" | "ping" | "dead" {
    if (!hasRequests || receivedBytes !== this.#receivedBytes) {
      this.#receivedBytes = receivedBytes;
      this.#silentChecks = 0;
      return "alive";
    }
    this.#silentChecks++;
    if (this.#silentChecks === SILENT_CHECKS) return "ping";
    return this.#silentChecks > SILENT_CHECKS ? "dead" : "alive";
  }
}
