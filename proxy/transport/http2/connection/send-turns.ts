// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ListedStream } from "./stream-host.ts";

/** The streams of a connection with bytes to send, or that wait for the socket, in the order of their turns (round robin). */
export class SendTurns {
  readonly #streams = new Set<ListedStream>();
  #isRunning = false;

  add(stream: ListedStream): void {
    stream.isListed = true;
    this.#streams.add(stream);
  }

  remove(stream: ListedStream): void {
    this.#streams.delete(stream);
  }

  /**
   * Lets each stream send one frame, as often as it lists itself again, which it does behind the others.
   *
   * @param mayGoOn Asked before each turn.
   */
  run(mayGoOn: () => boolean): void {
    if (this.#isRunning || this.#streams.size === 0) return;
    this.#isRunning = true;
    // The loop reaches the streams that are added within it.
    for (const stream of this.#streams) {
      if (!mayGoOn()) break;
      this.#streams.delete(stream);
      stream.isListed = false;
      stream.sendInTurn();
    }
    this.#isRunning = false;
  }
}
