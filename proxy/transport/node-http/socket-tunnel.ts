// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Socket } from "node:net";

import type { BodyReceiver, BodySink, BodySource } from "../contract/body.ts";

interface TunnelReceiver extends BodyReceiver {
  onWritable(): void;
  /** The socket is closed. Whole: both sides had ended what they sent. */
  onClose(whole: boolean): void;
}

/** The bytes of a connection that has left HTTP, both ways. Takes the socket over, whose listeners must be gone. */
export class SocketTunnel implements BodySource, BodySink {
  readonly #socket: Socket;

  constructor(socket: Socket, receiver: TunnelReceiver) {
    this.#socket = socket;
    socket.on("error", () => {
      // Told by `close`.
    });
    socket.on("data", (chunk: Buffer) => receiver.onData(chunk));
    socket.on("end", () => receiver.onEnd(undefined));
    socket.on("drain", () => receiver.onWritable());
    socket.on("close", () => receiver.onClose(socket.readableEnded && socket.writableFinished));
  }

  write(chunk: Uint8Array): boolean {
    return this.#socket.write(chunk);
  }

  /** Closes one direction. */
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
