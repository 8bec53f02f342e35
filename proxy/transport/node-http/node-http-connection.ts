// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Socket } from "node:net";

import { canonicalAddress } from "../../../kernel/matching/ip-address.ts";
import type { ConnectionFacts } from "../contract/connection.ts";
import type { ServerStream } from "../contract/server.ts";

/**
 * Maximum number of pipelined requests in a connection's queue. One read of 64 KiB can bring this many, but
 * no honest client does.
 */
const MAX_WAITING = 1_000;

/** A stream as its connection sees it. */
export interface ConnectionStream extends ServerStream {
  /** Called when the connection is gone. Idempotent. */
  close(): void;
  /** Called when the server's drain deadline has passed. */
  cut(): void;
}

/**
 * One client's connection. Pipelined requests run one after the other: node:http would begin them all at
 * once, so that their effects could overtake each other and one client could cause unbounded work.
 */
export class NodeHttpConnection {
  readonly facts: ConnectionFacts;
  readonly #socket: Socket;
  readonly #waiting: (() => ConnectionStream)[] = [];
  #current: ConnectionStream | undefined;

  constructor(socket: Socket, id: string) {
    this.#socket = socket;
    this.facts = {
      id,
      remoteIp: canonicalAddress(socket.remoteAddress ?? "") ?? "",
      remotePort: socket.remotePort ?? 0,
      localIp: canonicalAddress(socket.localAddress ?? "") ?? "",
      localPort: socket.localPort ?? 0,
      tls: undefined,
    };
    socket.on("close", () => {
      this.#waiting.length = 0;
      this.#current?.close();
    });
  }

  /** The stream under way, if any. */
  get current(): ConnectionStream | undefined {
    return this.#current;
  }

  /** Starts the stream now, or after the streams before it. `next` must be called at its end. */
  enqueue(start: () => ConnectionStream): void {
    if (this.#current === undefined) {
      this.#current = start();
      return;
    }
    this.#waiting.push(start);
    this.#socket.pause();
    if (this.#waiting.length > MAX_WAITING) this.#socket.destroy();
  }

  /** Closes the connection, with the stream under way on it. */
  cut(): void {
    this.#waiting.length = 0;
    this.#socket.destroy();
    this.#current?.cut();
  }

  next(): void {
    this.#current = undefined;
    const start = this.#waiting.shift();
    if (start !== undefined && !this.#socket.destroyed) this.#current = start();
    else if (!this.#socket.destroyed) this.#socket.resume();
  }
}
