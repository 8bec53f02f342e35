// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { connect, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { type AbortSignalLike, messageOf, PurserError, type Scheduler } from "../../plugins/sdk/index.ts";
import type { Chunk } from "./chunks.ts";
import type { Codec } from "./codec.ts";
import { type Credentials, Handshake, HandshakeError, parseHelo, textOf } from "./handshake.ts";

export interface Target {
  readonly host: string;
  readonly port: number;
  readonly tls: { readonly ca: string | undefined; readonly serverName: string | undefined } | undefined;
  readonly credentials: Credentials | undefined;
  readonly ack: boolean;
  readonly connectTimeoutMs: number;
}

interface Waiting {
  resolve(): void;
  reject(error: Error): void;
}

/**
 * One connection to a server, from connecting to its end. Any fault ends it, and rejects everything that waits: a connection whose
 * acknowledgements no longer match is of no use.
 */
export class Connection {
  readonly #target: Target;
  readonly #codec: Codec;
  readonly #socket: Socket;
  readonly #waiting = new Map<string, Waiting>();
  readonly #cancelTimeout: () => void;
  readonly #ready: Promise<void>;
  #settleReady: Waiting = { resolve() {}, reject() {} };
  #isReady = false;
  #handshake: Handshake | undefined;
  #keepalive = true;
  #failure: Error | undefined;

  constructor(target: Target, codec: Codec, scheduler: Scheduler) {
    this.#target = target;
    this.#codec = codec;
    this.#ready = new Promise((resolve, reject) => (this.#settleReady = { resolve, reject }));
    // Each sender waits for it; without any, its rejection is nobody's.
    this.#ready.catch(() => {});
    this.#cancelTimeout = scheduler.after(target.connectTimeoutMs, () => {
      const step = target.credentials === undefined ? "" : " or the handshake";
      this.fail(this.#error(`the connection${step} took more than ${target.connectTimeoutMs} ms`, true));
    });
    this.#socket = this.#open();
    this.#socket.on("error", (error) => this.fail(this.#socketError(error)));
    this.#socket.on("close", () => this.fail(this.#error("the server closed the connection", true)));
    void this.#read();
  }

  /** Whether further chunks may be sent. */
  get usable(): boolean {
    return this.#failure === undefined;
  }

  /** Whether connecting and the handshake are done. */
  get ready(): boolean {
    return this.#isReady;
  }

  /**
   * Resolves when the server acknowledged the chunk, or without acknowledgements when the system has it. Sends nothing once the signal has
   * aborted: a retry may wait for the same connection.
   *
   * @returns Whether the chunk was sent.
   */
  async deliver(chunk: Chunk, signal: AbortSignalLike): Promise<boolean> {
    await this.#ready;
    if (signal.aborted) return false;
    await new Promise<void>((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      this.#waiting.set(chunk.id, { resolve, reject });
      this.#socket.write(chunk.message, (error) => {
        // A failed write ends the connection, whose error is more telling.
        if (!this.#target.ack && (error === null || error === undefined)) this.#arrived(chunk.id);
      });
    });
    return true;
  }

  /** Ends the connection, and rejects everything that waits for it. */
  fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#cancelTimeout();
    this.#socket.destroy();
    this.#settleReady.reject(error);
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
  }

  #open(): Socket {
    const { host, port, tls, credentials } = this.#target;
    const onConnect = (): void => {
      // With a shared key, the server speaks first.
      if (credentials === undefined) this.#becomeReady();
    };
    if (tls === undefined) return connect({ host, port, noDelay: true }, onConnect);
    const { ca, serverName } = tls;
    return connectTls(
      {
        host,
        port,
        ...(ca === undefined ? {} : { ca }),
        ...(serverName === undefined ? {} : { servername: serverName }),
      },
      onConnect,
    );
  }

  #becomeReady(): void {
    this.#isReady = true;
    this.#cancelTimeout();
    this.#settleReady.resolve();
  }

  async #read(): Promise<void> {
    try {
      for await (const value of this.#codec.values(this.#socket)) this.#receive(value);
      this.fail(this.#error("the server closed the connection", true));
    } catch (error) {
      if (error instanceof HandshakeError) this.fail(this.#error(error.message, false));
      else this.fail(this.#socketError(error as Error));
    }
  }

  #receive(value: unknown): void {
    if (this.#isReady) return this.#receiveAck(value);
    if (this.#handshake === undefined) {
      const helo = parseHelo(value);
      if (helo === undefined) throw new Error("the server began with something other than a HELO");
      this.#keepalive = helo.keepalive;
      this.#handshake = new Handshake(this.#target.credentials as Credentials, helo);
      this.#socket.write(this.#codec.encode(this.#handshake.ping()));
    } else {
      this.#handshake.assertPong(value);
      this.#becomeReady();
    }
  }

  #receiveAck(value: unknown): void {
    if (parseHelo(value) !== undefined) throw new HandshakeError("the server asks for a shared key");
    const ack =
      typeof value === "object" && value !== null ? textOf((value as { ack?: unknown }).ack) : undefined;
    if (ack === undefined || !this.#waiting.has(ack))
      throw new Error("the server acknowledged a chunk that it was not sent");
    this.#arrived(ack);
  }

  #arrived(id: string): void {
    this.#waiting.get(id)?.resolve();
    this.#waiting.delete(id);
    if (this.#keepalive || this.#waiting.size > 0) return;
    this.#socket.end();
    this.fail(this.#error("the server wants a connection for each message", true));
  }

  #socketError(cause: Error): PurserError {
    // An untrusted certificate stays untrusted.
    const untrusted = (this.#socket as Partial<TLSSocket>).authorizationError;
    const isPermanent = untrusted !== undefined && untrusted !== null;
    const { code } = cause as NodeJS.ErrnoException;
    return this.#error(messageOf(cause) || String(code), !isPermanent, cause);
  }

  #error(message: string, retryable: boolean, cause?: unknown): PurserError {
    const { host, port } = this.#target;
    return new PurserError("PURSER_HANDLER_FAILED", `fluentd at ${host}:${port}: ${message}`, {
      retryable,
      ...(cause === undefined ? {} : { cause }),
    });
  }
}
