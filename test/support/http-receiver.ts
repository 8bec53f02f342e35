// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import type { BackendScript } from "../../plugins/sdk/testing/index.ts";

export interface ReceivedRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface ReceiverAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** An HTTP server on loopback that keeps its requests. */
export interface HttpReceiver {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly requests: readonly ReceivedRequest[];
  /** The answer to each request, or a function that decides it; 204 at first. */
  answer: ReceiverAnswer | ((request: ReceivedRequest) => ReceiverAnswer);
  /** Forgets the requests, and answers 204 again. */
  reset(): void;
  close(): Promise<void>;
}

export async function startHttpReceiver(): Promise<HttpReceiver> {
  const requests: ReceivedRequest[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method = "", url = "", headers } = request;
      const received = { method, path: url, headers, body: Buffer.concat(chunks) };
      requests.push(received);
      const { answer } = receiver;
      const { status, headers: fields, body } = typeof answer === "function" ? answer(received) : answer;
      response.writeHead(status, fields).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const receiver: HttpReceiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    answer: { status: 204 },
    reset() {
      requests.length = 0;
      receiver.answer = { status: 204 };
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return receiver;
}

/** A backend for contract suites that answers the first request of a connection with a status, such as `503 Busy`. */
export function answering(status: string): BackendScript {
  return (socket) =>
    void socket.once("data", () =>
      socket.end(`HTTP/1.1 ${status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`),
    );
}
