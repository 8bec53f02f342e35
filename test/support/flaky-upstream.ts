// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

/**
 * An upstream on raw sockets that does what a request's path asks for: `/BEHAVIOUR/ID`. It counts how often each
 * id arrived.
 */
export interface FlakyUpstream {
  readonly port: number;
  /** Closes every connection and refuses new ones for a while. */
  die(durationMs: number): Promise<void>;
  /** Number of connections now. */
  readonly connections: number;
  close(): Promise<void>;
}

/** The body with which a behaviour answers a request that it answers at all. */
export function answerTo(id: string, behaviour: string): string {
  return behaviour === "large" ? `${id}:${"x".repeat(200_000)}:${id}` : `answer to ${id}`;
}

/** Answers with the request's body read, by behaviour. */
const ANSWERS: Readonly<Record<string, (socket: Socket, id: string, whole: string) => void>> = {
  echo: (socket, _id, whole) => socket.write(whole),
  slow: (socket, _id, whole) => after(20 + Math.random() * 150, () => socket.write(whole)),
  large: (socket, _id, whole) => socket.write(whole),
  chunked(socket, id) {
    socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
    const body = answerTo(id, "chunked");
    // Nested: timers of different lengths may run in another order.
    after(1, () => {
      socket.write(`1\r\n${body.slice(0, 1)}\r\n`);
      after(2, () => socket.write(`${(body.length - 1).toString(16)}\r\n${body.slice(1)}\r\n0\r\n\r\n`));
    });
  },
  "until-close": (socket, id) => socket.end(`HTTP/1.1 200 OK\r\n\r\n${answerTo(id, "until-close")}`),
  close: (socket, _id, whole) => socket.end(whole.replace("\r\n", "\r\nconnection: close\r\n")),
  interim: (socket, _id, whole) =>
    socket.write(`HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${whole}`),
  poison: (socket, _id, whole) => socket.write(`${whole}HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison`),
  "late-fin"(socket, _id, whole) {
    socket.write(whole);
    after(Math.random() * 5, () => socket.end());
  },
  "late-reset"(socket, _id, whole) {
    socket.write(whole);
    after(Math.random() * 5, () => reset(socket));
  },
  fin: (socket) => socket.end(),
  reset,
  garbage: (socket) => socket.write("SSH-2.0-x\r\n\r\n"),
  stall: () => {},
  "stall-in-body": (socket) => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"),
  "cut-in-body"(socket) {
    socket.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf");
    after(2, () => reset(socket));
  },
};

/** Behaviours that answer with `answerTo`, unless the upstream dies meanwhile. */
export const GOOD = [
  "echo",
  "slow",
  "large",
  "chunked",
  "until-close",
  "close",
  "interim",
  "poison",
  "late-fin",
  "late-reset",
  "early",
] as const;

/** Behaviours after which a client gets no complete response of the upstream. */
export const BAD = ["fin", "reset", "garbage", "stall", "stall-in-body", "cut-in-body"] as const;

export async function startFlakyUpstream(arrived: Map<string, number>): Promise<FlakyUpstream> {
  const sockets = new Set<Socket>();
  let server = await listening(0, accept);
  const { port } = server.address() as AddressInfo;

  function accept(socket: Socket): void {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    serve(socket, arrived);
  }
  const stop = async (): Promise<void> => {
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return {
    port,
    get connections() {
      return sockets.size;
    },
    async die(durationMs) {
      await stop();
      await new Promise((resolve) => setTimeout(resolve, durationMs));
      server = await listening(port, accept);
    },
    close: stop,
  };
}

async function listening(port: number, accept: (socket: Socket) => void): Promise<Server> {
  const server = createServer(accept).listen(port, "127.0.0.1");
  await once(server, "listening");
  return server;
}

/** Reads requests as a proxy writes them, and answers each by its behaviour. */
function serve(socket: Socket, arrived: Map<string, number>): void {
  let text = "";
  let current: { readonly behaviour: string; readonly id: string; readonly chunked: boolean } | undefined;
  let leftBytes = 0;
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
    for (;;) {
      if (current === undefined) {
        const end = text.indexOf("\r\n\r\n");
        if (end < 0) return;
        const head = text.slice(0, end);
        text = text.slice(end + 4);
        const [, behaviour = "", id = ""] = /^[A-Z]+ \/([a-z-]+)\/(\S+) /.exec(head) ?? [];
        arrived.set(id, (arrived.get(id) ?? 0) + 1);
        current = { behaviour, id, chunked: /\r\ntransfer-encoding: chunked/i.test(head) };
        leftBytes = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
        if (behaviour === "early") socket.write(responseOf(id, behaviour));
      }
      const end = current.chunked ? text.indexOf("0\r\n\r\n") + 5 : leftBytes;
      if (current.chunked ? end < 5 : text.length < end) return;
      text = text.slice(end);
      const { behaviour, id } = current;
      current = undefined;
      ANSWERS[behaviour]?.(socket, id, responseOf(id, behaviour));
    }
  });
}

/** Node.js cannot reset a socket that is being shut down: its `close` event would never come. */
function reset(socket: Socket): void {
  if (socket.writable) socket.resetAndDestroy();
  else socket.destroy();
}

function responseOf(id: string, behaviour: string): string {
  const body = answerTo(id, behaviour);
  return `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

/** Most of these timers outlive their socket; writes to a closed socket do nothing. */
function after(delayMs: number, task: () => void): void {
  setTimeout(task, delayMs);
}
