// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

export interface TcpAddress {
  readonly host: string;
  readonly port: number;
}

/** Behaviour of a fake backend on a connection. */
export type BackendScript = (socket: Socket) => void;

/** A TCP server on loopback that follows its script. */
export interface FakeBackend {
  readonly address: TcpAddress;
  /** Number of open connections. */
  readonly connections: number;
  /** Number of connections accepted so far. */
  readonly accepted: number;
  /** Destroys every connection and stops listening. */
  close(): Promise<void>;
}

/** Ways in which any backend may fail. */
export const MISBEHAVIOURS = {
  /** Accepts everything and never answers. */
  hangs: (socket) => void socket.resume(),
  /** Resets the connection after the first data. */
  resets: (socket) => void socket.once("data", () => socket.resetAndDestroy()),
  /** Answers with bytes of no protocol, then closes. */
  "answers garbage": (socket) =>
    void socket.once("data", () => {
      socket.end(Buffer.from("\u0000\u00ff}{ this is no protocol\r\n\r\n\u0000*9\r\n$-7\r\n", "latin1"));
    }),
  /** Closes in the middle of an HTTP response. */
  "breaks off in the middle": (socket) =>
    void socket.once("data", () => {
      socket.end("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{");
    }),
} as const satisfies Readonly<Record<string, BackendScript>>;

/** Starts a backend on a free port of loopback. */
export async function startFakeBackend(script: BackendScript): Promise<FakeBackend> {
  const sockets = new Set<Socket>();
  let accepted = 0;
  const server = createServer((socket) => {
    accepted++;
    sockets.add(socket);
    socket.on("close", () => void sockets.delete(socket));
    // A client may disconnect in any way.
    socket.on("error", () => {});
    script(socket);
  });
  await listen(server);
  return {
    address: { host: "127.0.0.1", port: (server.address() as AddressInfo).port },
    get connections() {
      return sockets.size;
    },
    get accepted() {
      return accepted;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** An address where connections are refused at once. */
export async function refusingAddress(): Promise<TcpAddress> {
  const backend = await startFakeBackend((socket) => socket.destroy());
  await backend.close();
  return backend.address;
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
}
