// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { connect, createServer, type Socket } from "node:net";

/**
 * The limit of the platform: a forwarder that knows no HTTP beyond framing. It finds the end of a head and its
 * Content-Length, passes all bytes on unread, and keeps upstream connections. It checks nothing, and so must not be used
 * for anything but this comparison. No pipelining, no chunked messages: such a message closes the connection.
 */
const [, , port, upstreamPort] = process.argv;

/** Up to this length a chunk is passed on as a latin1 string: writing a small string costs less than writing a Buffer. */
const STRING_LIMIT_BYTES = 16_384;

/** Counts the bytes of a message, to know where it ends. */
class Framing {
  /** Text of a head that is not yet whole. */
  #head = "";
  #bytes = 0;
  /** Bytes of the body that are still to come; -1 before the head's end. */
  #left = -1;

  /**
   * Takes the next chunk of the message. Returns true when it is the last one, false when more must come, and
   * undefined when the message cannot be framed.
   */
  take(chunk: Buffer, text: string): boolean | undefined {
    if (this.#left >= 0) {
      this.#left -= chunk.length;
    } else {
      this.#head += text;
      this.#bytes += chunk.length;
      const end = this.#head.indexOf("\r\n\r\n");
      if (end === -1) return this.#head.length > STRING_LIMIT_BYTES ? undefined : false;
      const length = contentLength(this.#head, end);
      if (length === undefined) return undefined;
      this.#left = end + 4 + length - this.#bytes;
      this.#head = "";
      this.#bytes = 0;
    }
    if (this.#left < 0) return undefined;
    if (this.#left > 0) return false;
    this.#left = -1;
    return true;
  }
}

const LENGTH_FIELD = "\r\nContent-Length: ";

function contentLength(head: string, end: number): number | undefined {
  const at = head.indexOf(LENGTH_FIELD);
  if (at !== -1 && at < end) return Number.parseInt(head.slice(at + LENGTH_FIELD.length, end), 10);
  const other = /\r\n(content-length: *(\d+)|transfer-encoding:)/i.exec(head.slice(0, end));
  if (other === null) return 0;
  return other[2] === undefined ? undefined : Number(other[2]);
}

const idle: Upstream[] = [];

class Upstream {
  readonly #socket: Socket;
  readonly #framing = new Framing();
  #client: Client | undefined;

  constructor() {
    this.#socket = connect({ port: Number(upstreamPort), host: "127.0.0.1", noDelay: true });
    this.#socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    this.#socket.on("drain", () => this.#client?.socket.resume());
    this.#socket.on("error", () => this.#socket.destroy());
    this.#socket.on("close", () => this.#closed());
  }

  static take(client: Client): Upstream {
    const upstream = idle.pop() ?? new Upstream();
    upstream.#client = client;
    return upstream;
  }

  send(chunk: Buffer, text: string): void {
    const isAccepted = text === "" ? this.#socket.write(chunk) : this.#socket.write(text, "latin1");
    if (!isAccepted) this.#client?.socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  destroy(): void {
    this.#client = undefined;
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    const client = this.#client;
    if (client === undefined) return void this.#socket.destroy();
    const text = chunk.length <= STRING_LIMIT_BYTES ? chunk.toString("latin1", 0, chunk.length) : "";
    const isLast = this.#framing.take(chunk, text === "" ? chunk.toString("latin1", 0, 1024) : text);
    if (isLast === undefined) return client.destroy();
    const isAccepted = text === "" ? client.socket.write(chunk) : client.socket.write(text, "latin1");
    if (isLast) {
      this.#client = undefined;
      idle.push(this);
      client.answered();
    } else if (!isAccepted) {
      this.#socket.pause();
    }
  }

  #closed(): void {
    const at = idle.indexOf(this);
    if (at !== -1) idle.splice(at, 1);
    this.#client?.destroy();
  }
}

class Client {
  readonly socket: Socket;
  readonly #framing = new Framing();
  #upstream: Upstream | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("drain", () => this.#upstream?.resume());
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#upstream?.destroy());
  }

  answered(): void {
    this.#upstream = undefined;
  }

  destroy(): void {
    this.socket.destroy();
  }

  #receive(chunk: Buffer): void {
    const text = chunk.length <= STRING_LIMIT_BYTES ? chunk.toString("latin1", 0, chunk.length) : "";
    const isLast = this.#framing.take(chunk, text === "" ? chunk.toString("latin1", 0, 1024) : text);
    if (isLast === undefined) return this.destroy();
    this.#upstream ??= Upstream.take(this);
    this.#upstream.send(chunk, text);
  }
}

createServer({ noDelay: true }, (socket) => new Client(socket)).listen(Number(port), "127.0.0.1", 4096);
