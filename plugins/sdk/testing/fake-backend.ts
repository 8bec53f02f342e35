// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

export interface TcpAddress {
  readonly host: string;
  readonly port: number;
}

/** What a fake backend does with a connection. */
export type BackendScript = (socket: Socket) => void;

/** A TCP server on loopback that does what its script says. */
export interface FakeBackend {
  readonly address: TcpAddress;
  /** Connections that are open now. */
  readonly connections: number;
  /** Connections there have been. */
  readonly accepted: number;
  /** Breaks every connection and listens no more. */
  close(): Promise<void>;
}

/** The ways in which a backend fails that no adapter can rule out. */
export const MISBEHAVIOURS = {
  /** Takes everything, says nothing. */
  hangs: (socket) => void socket.resume(),
  /** Resets the connection as soon as something was sent. */
  resets: (socket) => void socket.once("data", () => socket.resetAndDestroy()),
  /** Answers with bytes of no protocol, then closes. */
  "answers garbage": (socket) =>
    void socket.once("data", () => {
      socket.end(Buffer.from("\u0000\u00ff}{ this is no protocol\r\n\r\n\u0000*9\r\n$-7\r\n", "latin1"));
    }),
  /** Closes in the middle of what looks like an HTTP answer. */
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
    // A client that goes away in its own way is no fault of the fake's.
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

/** An address where nobody listens, so that connections are refused at once. */
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
