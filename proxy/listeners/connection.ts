// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Socket } from "node:net";

import { canonicalAddress } from "../../kernel/matching/ip-address.ts";
import type { DownstreamAddress } from "../pipeline/exchange.ts";
import type { Downstream } from "./downstream.ts";

/** Pipelined requests that one connection may have waiting; a read of 64 KiB can bring this many, but nobody honest does. */
const MAX_WAITING = 1_000;

/**
 * One client's connection. Requests that are pipelined on it go through one after the other: node:http would begin them all
 * at once, which lets effects overtake each other and one client take unbounded work.
 */
export class Connection {
  readonly address: DownstreamAddress;
  readonly #socket: Socket;
  readonly #waiting: (() => Downstream)[] = [];
  #current: Downstream | undefined;

  constructor(socket: Socket, connectionId: string) {
    this.#socket = socket;
    this.address = {
      connectionId,
      remoteIp: canonicalAddress(socket.remoteAddress ?? "") ?? "",
      remotePort: socket.remotePort ?? 0,
      localIp: canonicalAddress(socket.localAddress ?? "") ?? "",
      localPort: socket.localPort ?? 0,
    };
    socket.on("close", () => {
      this.#waiting.length = 0;
      this.#current?.close();
    });
  }

  /** The exchange under way, if any. */
  get current(): Downstream | undefined {
    return this.#current;
  }

  /** Starts the exchange now, or when those before it are over. Its end must be told with `next`. */
  enqueue(start: () => Downstream): void {
    if (this.#current === undefined) {
      this.#current = start();
      return;
    }
    this.#waiting.push(start);
    this.#socket.pause();
    if (this.#waiting.length > MAX_WAITING) this.#socket.destroy();
  }

  /** Ends the connection from this side, and with it the exchange under way. */
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
