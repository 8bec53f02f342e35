// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { RequestListener, Server } from "node:http";
import { connect, createServer, type IncomingHttpHeaders } from "node:http2";
import type { Socket } from "node:net";

import type { Reply } from "./harness.test.ts";

/** Fields that HTTP/2 does not have. */
const CONNECTION_FIELDS = ["connection", "transfer-encoding", "keep-alive", "upgrade", "proxy-connection"];

/** Lets a server of HTTP/1.1 speak HTTP/2 with prior knowledge instead, with the same handler. */
export function http2Listener(server: Server, handler: RequestListener): void {
  const http2 = createServer((incoming, outgoing) => {
    incoming.headers.host = incoming.authority;
    incoming.rawHeaders.push("host", incoming.authority);
    // The compatibility API of node:http2 takes handlers of node:http; its types do not say so.
    handler(incoming as never, outgoing as never);
  });
  server.removeAllListeners("connection");
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    http2.emit("connection", socket);
  });
  server.closeAllConnections = () => {
    for (const socket of sockets) socket.destroy();
  };
}

/** Sends one request on a connection of its own, as `call` does. */
export function callHttp2(
  port: number,
  request: {
    readonly method: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string | string[]>>;
    readonly body: string | Buffer | undefined;
  },
): Promise<Reply> {
  const fields = Object.entries(request.headers)
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name]) => !CONNECTION_FIELDS.includes(name) && name !== "host");
  const host = Object.entries(request.headers).find(([name]) => name.toLowerCase() === "host")?.[1];
  return new Promise((resolve, reject) => {
    const session = connect(`http://127.0.0.1:${port}`);
    session.on("error", reject);
    const isStreamed = "transfer-encoding" in request.headers;
    const stream = session.request(
      {
        ":method": request.method,
        ":path": request.path,
        ...(typeof host === "string" ? { ":authority": host } : {}),
        ...(request.body === undefined || isStreamed
          ? {}
          : { "content-length": Buffer.byteLength(request.body) }),
        ...Object.fromEntries(fields),
      },
      { endStream: request.body === undefined },
    );
    const chunks: Buffer[] = [];
    let head: IncomingHttpHeaders = {};
    let rawHeaders: readonly string[] = [];
    stream.on("response", (headers: IncomingHttpHeaders, _flags: number, raw?: string[]) => {
      head = headers;
      rawHeaders = raw ?? [];
    });
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", (error: Error) => reject((error.cause as Error | undefined) ?? broken(error.message)));
    stream.on("close", () => {
      session.close();
      const { ":status": status = 0, ...headers } = head as IncomingHttpHeaders & { ":status"?: number };
      if (stream.aborted || stream.rstCode !== 0 || status === 0) reject(broken("the stream was reset"));
      resolve({ status, headers, rawHeaders: rawHeaders.slice(2), body: Buffer.concat(chunks).toString() });
    });
    if (request.body !== undefined) stream.end(request.body);
  });
}

/** As the error of a connection of HTTP/1.1 that was cut. */
function broken(message: string): Error {
  return Object.assign(new Error(message), { code: "ECONNRESET" });
}
