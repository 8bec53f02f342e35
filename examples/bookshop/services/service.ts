// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type Server,
} from "node:http";

/** Shared code of the bookshop's services: a JSON or HTML answer by path, and calls through the mesh. */

export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly contentType?: string;
}

export type Answerer = (url: URL, call: Call, request: IncomingMessage) => Answer | Promise<Answer>;

/** Calls another service through this service's sidecar, by its mesh name; resolves with the parsed JSON. */
export type Call = (
  service: string,
  path: string,
) => Promise<{ readonly status: number; readonly body: unknown }>;

/**
 * Headers that a service passes on, so that traces connect and policies see the user behind a chain of calls.
 */
const PASSED_ON = ["x-request-id", "traceparent", "tracestate", "x-user", "authorization"];

const CALL_TIMEOUT_MS = 2_000;

export interface ServiceOptions {
  readonly host: string;
  readonly port: number;
  /** URL of the sidecar for outbound calls, such as http://127.0.0.1:15001. */
  readonly mesh: string;
}

export async function startService(answer: Answerer, options: ServiceOptions): Promise<Server> {
  const server = createServer((incoming, outgoing) => {
    const call: Call = (service, path) => callThroughMesh(options.mesh, service, path, incoming.headers);
    const reply = ({ status, body, contentType }: Answer): void => {
      const text = typeof body === "string" ? body : `${JSON.stringify(body)}\n`;
      outgoing.writeHead(status, {
        "content-type": contentType ?? "application/json",
        "content-length": Buffer.byteLength(text),
      });
      outgoing.end(text);
    };
    incoming.resume();
    Promise.resolve()
      .then(() => answer(new URL(incoming.url ?? "/", "http://service"), call, incoming))
      .then(reply, (error: unknown) =>
        reply({ status: 502, body: { error: error instanceof Error ? error.message : String(error) } }),
      );
  });
  // Longer than the proxies keep idle connections, so that the proxies close them first.
  server.keepAliveTimeout = 70_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, resolve);
  });
  return server;
}

function callThroughMesh(
  mesh: string,
  service: string,
  path: string,
  from: IncomingHttpHeaders,
): ReturnType<Call> {
  const passedOn = Object.fromEntries(
    PASSED_ON.flatMap((name) => (from[name] === undefined ? [] : [[name, from[name]]])),
  );
  return new Promise((resolve, reject) => {
    const outgoing = request(
      new URL(path, mesh),
      { headers: { ...passedOn, host: service }, timeout: CALL_TIMEOUT_MS },
      (incoming) => {
        let text = "";
        incoming.setEncoding("utf8");
        incoming.on("data", (chunk: string) => (text += chunk));
        incoming.on("error", reject);
        incoming.on("end", () => {
          try {
            resolve({ status: incoming.statusCode ?? 0, body: JSON.parse(text) });
          } catch {
            resolve({ status: incoming.statusCode ?? 0, body: text });
          }
        });
      },
    );
    outgoing.on("timeout", () =>
      outgoing.destroy(new Error(`${service} did not answer within ${CALL_TIMEOUT_MS} ms`)),
    );
    outgoing.on("error", reject);
    outgoing.end();
  });
}
