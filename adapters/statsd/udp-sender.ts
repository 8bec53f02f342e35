// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createSocket, type Socket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { isIP } from "node:net";
import { type AbortSignalLike, type Clock, type RefusedInstance, within } from "../../plugins/sdk/index.ts";
import type { Packet } from "./packets.ts";
import { closedError, failureOf, lateMessage, type Sender } from "./sender.ts";

/** Time after which a host name is looked up again, since a server that moved sends no error. */
const ADDRESS_TTL_MS = 60_000;

interface Target {
  readonly socket: Socket;
  readonly address: string;
  readonly lookedUpMs: number;
}

/**
 * Sends datagrams from a connected socket: the system then reports a port where nobody listens (ICMP port unreachable), for the
 * datagram before the one that it refuses.
 */
export class UdpSender implements Sender {
  readonly #host: string;
  readonly #port: number;
  readonly #clock: Clock;
  #target: Target | undefined;
  #refusal: Error | undefined;
  #closed = false;
  /** Number of packets of a batch that were sent before its deadline passed: its retry does not repeat them. */
  readonly #sent = new WeakMap<object, number>();

  constructor(host: string, port: number, clock: Clock) {
    this.#host = host;
    this.#port = port;
    this.#clock = clock;
  }

  get #name(): string {
    return `${this.#host}:${this.#port}`;
  }

  async send(
    packets: readonly Packet[],
    batch: object,
    signal: AbortSignalLike,
  ): Promise<readonly RefusedInstance[]> {
    if (packets.length === 0) return [];
    const { socket } = await this.#ready(signal);
    this.#refusal = undefined;
    for (let index = this.#sent.get(batch) ?? 0; index < packets.length; index++) {
      const packet = packets[index] as Packet;
      try {
        await within(deliver(socket, packet.bytes), signal, lateMessage(this.#name));
      } catch (error) {
        if (signal.aborted) throw error;
        return this.#failed(error, packets.slice(index), index);
      }
      this.#sent.set(batch, index + 1);
      if (this.#closed) throw closedError();
    }
    // The system has a refusal by this machine ready at once; it arrives with the next poll.
    await nextPoll();
    await nextPoll();
    if (this.#refusal !== undefined) {
      this.#sent.delete(batch);
      throw failureOf(this.#refusal, this.#name);
    }
    return [];
  }

  close(): void {
    this.#closed = true;
    this.#target?.socket.close();
    this.#target = undefined;
  }

  /** The instances of the packets that are left, or an error when nobody took the earlier ones either. */
  #failed(cause: unknown, left: readonly Packet[], sent: number): readonly RefusedInstance[] {
    if (this.#closed) throw closedError();
    const error = failureOf(cause, this.#name);
    if (sent === 0 || (cause as NodeJS.ErrnoException).code === "ECONNREFUSED") throw error;
    return left.flatMap(({ instances }) => instances.map((index) => ({ index, error })));
  }

  async #ready(signal: AbortSignalLike): Promise<Target> {
    if (this.#closed) throw closedError();
    const known = this.#target;
    const isName = isIP(this.#host) === 0;
    const nowMs = this.#clock.monotonicMs();
    if (known !== undefined && (!isName || nowMs - known.lookedUpMs < ADDRESS_TTL_MS)) return known;
    try {
      const address = isName ? await this.#lookUp(signal) : this.#host;
      if (this.#closed) throw closedError();
      if (known?.address === address) return (this.#target = { ...known, lookedUpMs: nowMs });
      const socket = await this.#connect(address, signal);
      this.#target?.socket.close();
      return (this.#target = { socket, address, lookedUpMs: nowMs });
    } catch (error) {
      if (this.#closed) throw closedError();
      // The old address may still be right while the name service is away.
      if (known !== undefined && this.#target === known && !signal.aborted) return known;
      throw (error as { name?: string }).name === "PurserError" ? error : failureOf(error, this.#name);
    }
  }

  async #lookUp(signal: AbortSignalLike): Promise<string> {
    const found = await within(lookup(this.#host), signal, `${this.#host} was not resolved in time`);
    return found.address;
  }

  async #connect(address: string, signal: AbortSignalLike): Promise<Socket> {
    const socket = createSocket(isIP(address) === 6 ? "udp6" : "udp4");
    try {
      socket.connect(this.#port, address);
      await within(once(socket, "connect"), signal, lateMessage(this.#name));
      if (this.#closed) throw closedError();
    } catch (error) {
      socket.close();
      throw error;
    }
    socket.on("error", (error) => (this.#refusal = error));
    return socket;
  }
}

function deliver(socket: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) =>
    socket.send(bytes, (error) => (error === null ? resolve() : reject(error))),
  );
}

function nextPoll(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
