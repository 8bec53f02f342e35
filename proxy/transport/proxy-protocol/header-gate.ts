// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Socket } from "node:net";

import type { Cancel, Scheduler } from "../../../kernel/ports.ts";
import type { ProxyHeader } from "./header-result.ts";
import { readProxyHeader } from "./proxy-header.ts";

interface Awaited {
  readonly socket: Socket;
  readonly cancelDeadline: Cancel;
  readonly release: () => void;
}

/** Reads the PROXY protocol's header of each new connection, before anything else is read from it. */
export class ProxyHeaderGate {
  readonly #scheduler: Scheduler;
  readonly #onRefused: () => void;
  readonly #awaited = new Map<Socket, Awaited>();

  /** @param onRefused Called for each connection that is closed, because its header is wrong or does not come in time. */
  constructor(scheduler: Scheduler, onRefused: () => void) {
    this.#scheduler = scheduler;
    this.#onRefused = onRefused;
  }

  /** Number of connections whose header has not come yet. */
  get pending(): number {
    return this.#awaited.size;
  }

  /**
   * Awaits the header.
   *
   * @param onHeader Called in the same turn in which the last byte of the header comes, with the bytes behind it. It must read
   * the socket from then on.
   */
  accept(
    socket: Socket,
    timeoutMs: number,
    onHeader: (ends: ProxyHeader["ends"], rest: Buffer) => void,
  ): void {
    let bytes: Buffer | undefined;
    const onData = (chunk: Buffer): void => {
      bytes = bytes === undefined ? chunk : Buffer.concat([bytes, chunk]);
      const result = readProxyHeader(bytes);
      if (result.kind === "more") return;
      if (result.kind === "fault") return this.#refuse(socket);
      this.#forget(socket);
      onHeader(result.header.ends, bytes.subarray(result.header.length));
    };
    const onEnd = (): void => this.#refuse(socket);
    const onClose = (): void => this.#forget(socket);
    socket.on("data", onData);
    socket.on("end", onEnd);
    socket.on("close", onClose);
    socket.on("error", ignore);
    this.#awaited.set(socket, {
      socket,
      cancelDeadline: this.#scheduler.after(timeoutMs, () => this.#refuse(socket)),
      release: () => {
        socket.off("data", onData);
        socket.off("end", onEnd);
        socket.off("close", onClose);
        socket.off("error", ignore);
      },
    });
  }

  /** Closes every connection whose header has not come. */
  cut(): void {
    for (const { socket } of this.#awaited.values()) {
      this.#forget(socket);
      socket.on("error", ignore);
      socket.destroy();
    }
  }

  #refuse(socket: Socket): void {
    this.#forget(socket);
    socket.on("error", ignore);
    socket.destroy();
    this.#onRefused();
  }

  #forget(socket: Socket): void {
    const awaited = this.#awaited.get(socket);
    if (awaited === undefined) return;
    this.#awaited.delete(socket);
    awaited.cancelDeadline();
    awaited.release();
  }
}

function ignore(): void {
  // The `close` event follows.
}
