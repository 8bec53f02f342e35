// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { httpStatusOfError } from "../../api/error-body.ts";
import { createSurfaceGuard, requireJsonType, type SurfaceGuard } from "../../api/surface-guard.ts";
import type { TrafficResources } from "../../core/traffic/resources/resource-set.ts";
import { isPurserError, messageOf, PurserError } from "../../kernel/errors.ts";
import { listenError } from "../../kernel/listen-error.ts";
import type { Logger } from "../../kernel/ports.ts";
import type { ClusterSet } from "../upstream/cluster-manager.ts";
import { clustersText } from "./clusters-text.ts";
import type { ProxyStats } from "./stats.ts";

/** What the admin surface shows and steers. */
interface AdminSubject {
  readonly stats: ProxyStats;
  readonly logger: Logger;
  /** Undefined when ready, otherwise what is missing. */
  unreadiness(): string | undefined;
  resources(): TrafficResources | undefined;
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
        const body = `${JSON.stringify(subject.resources() ?? null, undefined, 2)}\n`;
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

/** Where the admin surface listens. */
export interface AdminAddress {
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  /** Names that it is reached by besides those of api/surface-guard.ts; default none. */
  readonly allowedHosts?: readonly string[];
}

/** For the head, and for the whole, of a request; then 408. Node's default is to look every 30 s only. */
const TIMEOUTS = { headersTimeout: 10_000, requestTimeout: 10_000, connectionsCheckingInterval: 1_000 };

/** The proxy's control surface, in Envoy's manner. It has no authentication: it belongs on loopback. */
export class AdminServer {
  readonly #server: Server;
  readonly #address: AdminAddress;

  constructor(subject: AdminSubject, address: AdminAddress) {
    this.#address = address;
    const { host, allowedHosts = [] } = address;
    const guard = createSurfaceGuard({ boundHost: host, allowedHosts });
    this.#server = createServer(TIMEOUTS, (request, response) => {
      request.resume();
      void answer(subject, guard, request).then(({ status, type, body, allow }) => {
        const headers = { "content-type": type, "content-length": Buffer.byteLength(body) };
        response.writeHead(status, allow === undefined ? headers : { ...headers, allow });
        response.end(request.method === "HEAD" ? undefined : body);
      });
    });
  }

  /** Rejects with PURSER_PORT_TAKEN or PURSER_PORT_FORBIDDEN. @returns The port it really has. */
  start(): Promise<number> {
    const { host, port } = this.#address;
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

interface AdminAnswer extends Answer {
  readonly allow?: string;
}

async function answer(
  subject: AdminSubject,
  guard: SurfaceGuard,
  request: IncomingMessage,
): Promise<AdminAnswer> {
  const path = (request.url ?? "").replace(/\?.*$/, "");
  try {
    const refusal = guard(request.headers);
    if (refusal !== undefined) throw refusal;
    return await answerAt(subject, path, request);
  } catch (error) {
    if (isPurserError(error)) return refused(error);
    subject.logger.error("the admin surface failed", { path, error: messageOf(error) });
    return refused(new PurserError("PURSER_INTERNAL", "the request failed; the proxy's log says why"));
  }
}

function answerAt(
  subject: AdminSubject,
  path: string,
  { method = "", headers }: IncomingMessage,
): AdminAnswer | Promise<AdminAnswer> {
  const endpoint = ENDPOINTS.get(path);
  if (endpoint === undefined) {
    const body = `There is nothing here. There is: ${[...ENDPOINTS.keys()].join(" ")}\n`;
    return { status: 404, type: TEXT, body };
  }
  const allow = endpoint.method === "GET" ? "GET, HEAD" : endpoint.method;
  // What changes something must not be reachable by a link.
  if (!allow.split(", ").includes(method)) return { status: 405, type: TEXT, body: `Use ${allow}.\n`, allow };
  if (endpoint.method !== "GET") requireJsonType(headers);
  return endpoint.answer(subject);
}

function refused({ code, message, remedy }: PurserError): AdminAnswer {
  const body = `${message} [${code}]\n${remedy}\n`;
  return { status: httpStatusOfError(code), type: TEXT, body };
}
