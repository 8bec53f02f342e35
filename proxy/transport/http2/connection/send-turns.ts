// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { LinkedList } from "../../../../kernel/linked-list.ts";
import type { ListedStream } from "./stream-host.ts";

/** The streams of a connection with bytes to send, or that wait for the socket, in the order of their turns (round robin). */
export class SendTurns {
  readonly #streams = new LinkedList<ListedStream>();
  #isRunning = false;

  /** The stream must not be listed. */
  add(stream: ListedStream): void {
    this.#streams.pushLast(stream);
  }

  /** Does nothing for a stream that is not listed. */
  remove(stream: ListedStream): void {
    this.#streams.remove(stream);
  }

  /**
   * Lets each stream send one frame, as often as it lists itself again, which it does behind the others.
   *
   * @param mayGoOn Asked before each turn.
   */
  run(mayGoOn: () => boolean): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    // The loop reaches the streams that are added within it.
    while (this.#streams.size > 0 && mayGoOn()) this.#streams.takeFirst()?.sendInTurn();
    this.#isRunning = false;
  }
}
