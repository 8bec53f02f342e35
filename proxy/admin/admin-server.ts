// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import type { ProxyConfig } from "../../core/traffic/model.ts";
import { messageOf } from "../../core/kernel/errors.ts";
import { listenError } from "../../core/kernel/listen-error.ts";
import type { Logger } from "../../core/kernel/ports.ts";
import type { ClusterSet } from "../clusters/cluster-manager.ts";
import { clustersText } from "./clusters-text.ts";
import type { ProxyStats } from "./stats.ts";

/** What the admin surface shows and steers. */
interface AdminSubject {
  readonly stats: ProxyStats;
  readonly logger: Logger;
  /** Undefined when ready, otherwise what is missing. */
  unreadiness(): string | undefined;
  config(): ProxyConfig | undefined;
  clusters(): ClusterSet;
  /** Begins to drain; does not wait for it. */
  drain(): void;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

type Endpoint = { readonly method: "GET" | "POST"; answer(subject: AdminSubject): Answer | Promise<Answer> };

const TEXT = "text/plain; charset=utf-8";

const ENDPOINTS: ReadonlyMap<string, Endpoint> = new Map<string, Endpoint>([
  [
    "/ready",
    {
      method: "GET",
      answer(subject) {
        const missing = subject.unreadiness();
        return missing === undefined
          ? { status: 200, type: TEXT, body: "LIVE\n" }
          : { status: 503, type: TEXT, body: `${missing}\n` };
      },
    },
  ],
  [
    "/stats/prometheus",
    {
      method: "GET",
      async answer({ stats: { registry } }) {
        return { status: 200, type: registry.contentType, body: await registry.metrics() };
      },
    },
  ],
  [
    "/clusters",
    {
      method: "GET",
      answer: (subject) => ({ status: 200, type: TEXT, body: clustersText(subject.clusters()) }),
    },
  ],
  [
    "/config_dump",
    {
      method: "GET",
      answer(subject) {
        const body = `${JSON.stringify(subject.config() ?? null, undefined, 2)}\n`;
        return { status: 200, type: "application/json", body };
      },
    },
  ],
  [
    "/drain",
    {
      method: "POST",
      answer(subject) {
        subject.drain();
        return { status: 202, type: TEXT, body: "draining\n" };
      },
    },
  ],
]);

/** The proxy's control surface, in Envoy's manner. It has no authentication: it belongs on loopback. */
export class AdminServer {
  readonly #server: Server;

  constructor(subject: AdminSubject) {
    this.#server = createServer({ requestTimeout: 10_000 }, (request, response) => {
      request.resume();
      void answer(subject, request.method ?? "", (request.url ?? "").replace(/\?.*$/, "")).then(
        ({ status, type, body, allow }) => {
          const headers = { "content-type": type, "content-length": Buffer.byteLength(body) };
          response.writeHead(status, allow === undefined ? headers : { ...headers, allow });
          response.end(request.method === "HEAD" ? undefined : body);
        },
      );
    });
  }

  /** Rejects with PURSER_PORT_TAKEN or PURSER_PORT_FORBIDDEN. @returns The port it really has. */
  start(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.on("error", (error) => reject(listenError(error, host, port)));
      this.#server.listen({ host, port }, () => resolve((this.#server.address() as AddressInfo).port));
    });
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }
}

async function answer(
  subject: AdminSubject,
  method: string,
  path: string,
): Promise<Answer & { readonly allow?: string }> {
  const endpoint = ENDPOINTS.get(path);
  if (endpoint === undefined) {
    const body = `There is nothing here. There is: ${[...ENDPOINTS.keys()].join(" ")}\n`;
    return { status: 404, type: TEXT, body };
  }
  const allow = endpoint.method === "GET" ? "GET, HEAD" : endpoint.method;
  // What changes something must not be reachable by a link.
  if (!allow.split(", ").includes(method)) return { status: 405, type: TEXT, body: `Use ${allow}.\n`, allow };
  try {
    return await endpoint.answer(subject);
  } catch (error) {
    subject.logger.error("the admin surface failed", { path, error: messageOf(error) });
    return { status: 500, type: TEXT, body: "PURSER_INTERNAL\n" };
  }
}
