// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { request } from "node:http";
import { connect, createServer, type Server, type Socket } from "node:net";
import { freePort } from "../../bench/machine/free-port.ts";

/** How a backend treats a request. */
export type Behaviour =
  | "accepts"
  | "hangs"
  | "resets"
  | "is slow"
  | "answers garbage"
  | { readonly status: number; readonly headers?: string; readonly body?: string };

/** Time that a slow backend takes, in milliseconds: less than a call's timeout. */
const SLOW_MS = 150;

interface Answer {
  readonly status: number;
  readonly headers?: string;
  readonly body?: string;
}

export interface BackendOptions {
  /**
   * URL of the real server to which accepted requests go, or accepted connections with `tcp:`; or the answer of
   * one that accepts everything.
   */
  readonly accepted: Answer | string;
  /** The port to listen on; default: a free one. */
  readonly port?: number;
}

/**
 * An HTTP/1.1 server, or the way to a real one, whose behaviour changes from request to request. The address
 * stays the same while it is away and after it is back.
 */
export class Backend {
  readonly port: number;
  readonly #options: BackendOptions;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  /** Behaviours of the next requests; afterwards it accepts. */
  plan: Behaviour[] = [];
  /** Number of requests so far, whatever became of them. */
  requests = 0;

  private constructor(port: number, options: BackendOptions) {
    this.port = port;
    this.#options = options;
  }

  static async start(options: BackendOptions): Promise<Backend> {
    const backend = new Backend(options.port ?? (await freePort()), options);
    await backend.open();
    return backend;
  }

  /** Listens, again after close(). */
  async open(): Promise<void> {
    const server = createServer((socket) => this.#serve(socket));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.port, "127.0.0.1", resolve);
    });
  }

  /** Refuses connections from now on, and cuts those that are open. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const socket of this.#sockets) socket.destroy();
    if (server !== undefined) await new Promise((resolve) => server.close(resolve));
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("close", () => void this.#sockets.delete(socket));
    socket.on("error", () => {});
    const { accepted } = this.#options;
    if (typeof accepted === "string" && accepted.startsWith("tcp:")) return this.#connect(socket, accepted);
    let received = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      for (;;) {
        const length = lengthOfRequest(received);
        if (length === undefined || received.length < length) return;
        const message = received.subarray(0, length);
        received = received.subarray(length);
        this.requests++;
        this.#answer(socket, this.plan.shift() ?? "accepts", message);
      }
    });
  }

  /** Without HTTP, each connection has one behaviour, from its first bytes on. */
  #connect(socket: Socket, url: string): void {
    const behaviour = this.plan.shift() ?? "accepts";
    socket.once("data", (first: Buffer) => {
      this.requests++;
      if (behaviour === "resets") return void socket.resetAndDestroy();
      if (behaviour === "answers garbage") return void socket.end("\u0000}{ this is no protocol\r\n\r\n");
      if (behaviour === "hangs") return;
      const { hostname, port } = new URL(url);
      const server = connect(Number(port), hostname);
      server.on("error", () => socket.destroy());
      server.on("close", () => socket.destroy());
      socket.on("close", () => server.destroy());
      server.write(first);
      socket.pipe(server);
      const back = (): void => void server.pipe(socket);
      if (behaviour === "is slow") setTimeout(back, SLOW_MS);
      else back();
    });
  }

  #answer(socket: Socket, behaviour: Behaviour, message: Buffer): void {
    const { accepted } = this.#options;
    const accept = (): void =>
      typeof accepted === "string"
        ? forward(accepted, message, socket)
        : void socket.write(responseText(accepted));
    if (behaviour === "accepts") accept();
    else if (behaviour === "is slow") setTimeout(accept, SLOW_MS);
    else if (behaviour === "resets") {
      // In the middle of an answer.
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{", () => socket.resetAndDestroy());
    } else if (behaviour === "answers garbage") socket.end("\u0000}{ this is no protocol\r\n\r\n");
    else if (behaviour !== "hangs") socket.write(responseText(behaviour));
  }
}

/** Bytes of the first request, head and body; undefined while its head is not complete. */
function lengthOfRequest(bytes: Buffer): number | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const head = bytes.toString("latin1", 0, end);
  const length = /^content-length: *(\d+)/im.exec(head)?.[1];
  if (length !== undefined) return end + 4 + Number(length);
  if (!/^transfer-encoding: *chunked/im.test(head)) return end + 4;
  const last = bytes.indexOf("\r\n0\r\n\r\n", end);
  return last < 0 ? Number.POSITIVE_INFINITY : last + 7;
}

/** Sends a request on to a real server, and its answer back. */
function forward(url: string, message: Buffer, socket: Socket): void {
  const end = message.indexOf("\r\n\r\n");
  const [line = "", ...fields] = message.toString("latin1", 0, end).split("\r\n");
  const [method = "", path = ""] = line.split(" ");
  const headers = Object.fromEntries(
    fields.map((field) => [field.slice(0, field.indexOf(":")), field.slice(field.indexOf(":") + 1).trim()]),
  );
  const forwarded = request(new URL(path, url), { method, headers, agent: false }, (response) => {
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.on("end", () => {
      const type = `content-type: ${response.headers["content-type"] ?? "text/plain"}\r\n`;
      const body = Buffer.concat(chunks).toString("latin1");
      socket.write(responseText({ status: response.statusCode ?? 502, headers: type, body }), "latin1");
    });
  });
  forwarded.on("error", () => socket.destroy());
  forwarded.end(message.subarray(end + 4));
}

function responseText({ status, headers = "", body = "" }: Answer): string {
  return `HTTP/1.1 ${status} X\r\n${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}
