// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

/** An upstream service for a test, on a free loopback port. */
export interface Upstream {
  readonly port: number;
  /** Requests that the upstream has answered or is answering. */
  readonly received: number;
  close(): Promise<void>;
}

const HELLO: RequestListener = (request, response) => {
  request.resume();
  response.writeHead(200, { "content-type": "text/plain" });
  response.end("hello\n");
};

export async function startUpstream(listener: RequestListener = HELLO): Promise<Upstream> {
  let received = 0;
  const server = createServer((request, response) => {
    received++;
    listener(request, response);
  });
  server.keepAliveTimeout = 70_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    get received() {
      return received;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
