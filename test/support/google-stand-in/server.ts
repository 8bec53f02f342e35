// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { GoogleStandIn, type StandInOptions } from "./stand-in.ts";

export interface RunningStandIn {
  readonly standIn: GoogleStandIn;
  /** `http://HOST:PORT` of every service. */
  readonly url: string;
  close(): Promise<void>;
}

export interface ServerOptions extends StandInOptions {
  /** Default: loopback. */
  readonly host?: string;
  /** Default: a free one. */
  readonly port?: number;
}

/** Larger requests are cut off, in bytes; the services' own limits are below it. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;

/** Serves a GoogleStandIn by HTTP. */
export async function startGoogleStandIn(options: ServerOptions = {}): Promise<RunningStandIn> {
  const { host = "127.0.0.1", port = 0 } = options;
  const standIn = new GoogleStandIn(options);
  const server = createServer((request, response) => void serve(standIn, request, response));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  return {
    standIn,
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function serve(
  standIn: GoogleStandIn,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > MAX_BODY_BYTES) return void response.writeHead(413).end();
      chunks.push(chunk);
    }
    const { method = "GET", headers } = request;
    const [path = "/"] = (request.url ?? "/").split("?");
    const answer = standIn.handle({ method, path, headers, body: Buffer.concat(chunks).toString("utf8") });
    if (answer.kind === "hang") return;
    if (answer.kind === "lost") return void request.socket.resetAndDestroy();
    response.writeHead(answer.status, {
      "content-type": "application/json; charset=UTF-8",
      ...answer.headers,
    });
    response.end(JSON.stringify(answer.body));
  } catch (error) {
    // The client went away, or a request to the stand-in itself is wrong.
    if (!response.headersSent && !response.destroyed) response.writeHead(400).end(String(error));
  }
}
