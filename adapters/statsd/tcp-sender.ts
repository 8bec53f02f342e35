// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { connect, type Socket } from "node:net";
import { type AbortSignalLike, PurserError, type RefusedInstance } from "../../plugins/sdk/index.ts";
import type { Packet } from "./packets.ts";
import { closedError, failureOf, lateMessage, type Sender } from "./sender.ts";

/** Writes lines to one connection, which is made when it is first needed and again after it ended. */
export class TcpSender implements Sender {
  readonly #host: string;
  readonly #port: number;
  #socket: Socket | undefined;
  #closed = false;

  constructor(host: string, port: number) {
    this.#host = host;
    this.#port = port;
  }

  /** Resolves when the system has all bytes; the protocol has no answer. */
  send(
    packets: readonly Packet[],
    _batch: object,
    signal: AbortSignalLike,
  ): Promise<readonly RefusedInstance[]> {
    const address = `${this.#host}:${this.#port}`;
    const late = () => new PurserError("PURSER_HANDLER_TIMEOUT", lateMessage(address));
    if (this.#closed) return Promise.reject(closedError());
    if (packets.length === 0) return Promise.resolve([]);
    if (signal.aborted) return Promise.reject(late());
    const socket = this.#connection();
    const bytes = Buffer.concat(packets.flatMap((packet) => [packet.bytes, LINE_BREAK]));
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        // Half of the batch must not become the beginning of the next one.
        socket.destroy();
        reject(late());
      };
      signal.addEventListener("abort", onAbort);
      socket.write(bytes, (error) => {
        signal.removeEventListener("abort", onAbort);
        if (error === null || error === undefined) return resolve([]);
        reject(this.#closed ? closedError() : failureOf(error, address));
      });
    });
  }

  close(): void {
    this.#closed = true;
    this.#socket?.destroy();
  }

  /** A connection that is open or being opened: the socket keeps what is written until then. */
  #connection(): Socket {
    if (this.#socket?.writable === true) return this.#socket;
    const socket = connect({ host: this.#host, port: this.#port, noDelay: true });
    // The callback of each write tells its error; nothing that a server sends has a meaning.
    socket.on("error", () => {});
    socket.on("close", () => {
      if (this.#socket === socket) this.#socket = undefined;
    });
    socket.resume();
    this.#socket = socket;
    return socket;
  }
}

const LINE_BREAK = Buffer.from("\n");
