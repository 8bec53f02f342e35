// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { RawSocket } from "../transport/contract/raw.ts";

/** The way in which a spliced connection ended; the side is the one that ended it first. */
export type SpliceEnd = "client" | "upstream" | "client-reset" | "upstream-reset";

export interface SpliceEvents {
  /** Bytes came, or a peer took bytes that had waited. */
  onActivity(): void;
  /** One side broke off. Its last bytes still go to the other side, for which `finish` must set a deadline. */
  onBroken(): void;
  /** Both sockets are closed. */
  onOver(end: SpliceEnd): void;
}

const NOTHING = new Uint8Array(0);

/**
 * Copies bytes between two sockets in both directions. A direction waits while its receiver takes no more, so that at
 * most the two sockets' own buffers are held. The end of one direction leaves the other one open. A side that breaks off
 * is told to the other side as a reset, behind the bytes that came before it: a truncated stream never looks complete.
 */
export class Splice {
  /** Bytes from the client, and to it. */
  receivedBytes = 0;
  sentBytes = 0;
  readonly #client: RawSocket;
  readonly #upstream: RawSocket;
  readonly #events: SpliceEvents;
  #firstEnd: SpliceEnd | undefined;
  #openSockets = 2;

  /** @param client Paused, or without a reader so far. */
  constructor(client: RawSocket, upstream: RawSocket, events: SpliceEvents) {
    this.#client = client;
    this.#upstream = upstream;
    this.#events = events;
    this.#copy(client, upstream, "client", (count) => (this.receivedBytes += count));
    this.#copy(upstream, client, "upstream", (count) => (this.sentBytes += count));
  }

  /** Ends the wait for the last bytes: closes both sockets at once. */
  cut(): void {
    reset(this.#client);
    reset(this.#upstream);
  }

  #copy(from: RawSocket, to: RawSocket, side: "client" | "upstream", count: (bytes: number) => void): void {
    from.on("data", (chunk) => {
      count(chunk.byteLength);
      this.#events.onActivity();
      if (!to.write(chunk)) from.pause();
    });
    to.on("drain", () => {
      this.#events.onActivity();
      from.resume();
    });
    from.on("end", () => {
      this.#firstEnd ??= side;
      this.#events.onActivity();
      to.end();
    });
    from.on("close", () => this.#onClosed(from, to, side));
    from.resume();
  }

  #onClosed(from: RawSocket, to: RawSocket, side: "client" | "upstream"): void {
    this.#openSockets--;
    const isWhole = from.readableEnded && from.writableFinished;
    if (!isWhole) {
      this.#firstEnd ??= `${side}-reset`;
      if (!to.destroyed) this.#breakOff(to);
    }
    if (this.#openSockets === 0) this.#events.onOver(this.#firstEnd ?? side);
  }

  #breakOff(socket: RawSocket): void {
    this.#events.onBroken();
    // Bytes that come from now on have no receiver.
    socket.resume();
    if (socket.writableLength === 0 || socket.writableEnded) return reset(socket);
    socket.write(NOTHING, () => reset(socket));
  }
}

/** Closes the socket so that its peer sees a reset, where the socket can send one. */
function reset(socket: RawSocket): void {
  if (socket.destroyed) return;
  if (socket.resetAndDestroy === undefined) socket.destroy();
  else socket.resetAndDestroy();
}
