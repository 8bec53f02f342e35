// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createServer, type Server, type Socket } from "node:net";
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

export interface BackendOptions {
  /** The answer of a backend that accepts everything. */
  readonly accepted: { readonly status: number; readonly headers?: string; readonly body?: string };
}

/**
 * An HTTP/1.1 server whose behaviour changes from request to request. The address stays the same while it is
 * away and after it is back.
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
    const backend = new Backend(await freePort(), options);
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
    let received = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      for (;;) {
        const length = lengthOfRequest(received);
        if (length === undefined || received.length < length) return;
        received = received.subarray(length);
        this.requests++;
        this.#answer(socket, this.plan.shift() ?? "accepts");
      }
    });
  }

  #answer(socket: Socket, behaviour: Behaviour): void {
    const accept = (): void => void socket.write(responseText(this.#options.accepted));
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

function responseText({ status, headers = "", body = "" }: BackendOptions["accepted"]): string {
  return `HTTP/1.1 ${status} X\r\n${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}
