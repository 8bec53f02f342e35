// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  createCollectingLogger,
  createRealTime,
  createSeededRandom,
} from "../../plugins/sdk/testing/index.ts";

/**
 * Shared by the tests of HTTP clients: a real server with scripted answers, which can be killed and
 * restarted.
 */

export type Answer = (request: ReceivedRequest, response: ServerResponse) => void;

export interface ReceivedRequest {
  readonly method: string;
  readonly url: URL;
  readonly body: unknown;
  readonly raw: IncomingMessage;
}

export class ToyServer {
  answer: Answer;
  readonly received: ReceivedRequest[] = [];
  #server: Server | undefined;
  #port = 0;

  constructor(answer: Answer) {
    this.answer = answer;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Listens, after a kill on the same port as before. */
  start(): Promise<void> {
    const server = createServer((raw, response) => {
      const chunks: Buffer[] = [];
      raw.on("data", (chunk: Buffer) => void chunks.push(chunk));
      raw.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        const request = {
          method: raw.method ?? "",
          url: new URL(raw.url ?? "", this.url),
          body: text === "" ? undefined : (JSON.parse(text) as unknown),
          raw,
        };
        this.received.push(request);
        this.answer(request, response);
      });
    });
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.#port, "127.0.0.1", () => {
        this.#port = (server.address() as AddressInfo).port;
        resolve();
      });
    });
  }

  /** Cuts every connection and stops listening. */
  async kill(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }
}

export const json =
  (body: unknown, status = 200): Answer =>
  (_, response) =>
    void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));

export const hang: Answer = () => {};
export const reset: Answer = ({ raw }) => void raw.socket.resetAndDestroy();
export const garbage: Answer = ({ raw }) => void raw.socket.end("\u0000}{ no protocol\r\n\r\n");
export const halfAnAnswer: Answer = ({ raw }) =>
  void raw.socket.end("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{");

/** The ports (clock, scheduler, random) of a client under test, on real time. */
export function realPorts() {
  const { clock, scheduler } = createRealTime();
  return { clock, scheduler, random: createSeededRandom(), logger: createCollectingLogger() };
}

/** Waits until `condition` holds; fails after `timeoutMs`. */
export async function until(condition: () => boolean, timeoutMs = 3_000): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`not within ${timeoutMs} ms: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
