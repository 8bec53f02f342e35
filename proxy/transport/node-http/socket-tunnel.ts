// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Socket } from "node:net";

import type { BodyReceiver, BodySink, BodySource } from "../contract/body.ts";

interface TunnelReceiver extends BodyReceiver {
  onWritable(): void;
  /** The socket is closed. `whole`: both sides had half-closed before. */
  onClose(whole: boolean): void;
}

/**
 * The bytes of an upgraded connection, in both directions. Takes ownership of the socket, whose listeners
 * must have been removed.
 */
export class SocketTunnel implements BodySource, BodySink {
  readonly #socket: Socket;

  constructor(socket: Socket, receiver: TunnelReceiver) {
    this.#socket = socket;
    socket.on("error", () => {
      // The `close` event follows.
    });
    socket.on("data", (chunk: Buffer) => receiver.onData(chunk));
    socket.on("end", () => receiver.onEnd(undefined));
    socket.on("drain", () => receiver.onWritable());
    socket.on("close", () => receiver.onClose(socket.readableEnded && socket.writableFinished));
  }

  write(chunk: Uint8Array): boolean {
    return this.#socket.write(chunk);
  }

  /** Half-closes: ends the outgoing direction. */
  end(): void {
    this.#socket.end();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
