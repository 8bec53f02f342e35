// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createServer, type IncomingMessage, request, type RequestListener, type Server } from "node:http";
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from "node:net";

import type { AttributeBag } from "../../core/attributes/bag.ts";
import type { MaybePromise } from "../../kernel/maybe-promise.ts";
import type { Clock, Logger, Runtime, Scheduler } from "../../kernel/ports.ts";
import { createJsonataCompiler } from "../../core/expressions/jsonata-engine.ts";
import type { Cluster } from "../../core/traffic/resources/cluster.ts";
import type { ClusterLoadAssignment, Endpoint } from "../../core/traffic/resources/endpoint.ts";
import { DEFAULT_LISTENER_LIMITS } from "../../core/traffic/listener-limits.ts";
import type { Listener } from "../../core/traffic/resources/listener.ts";
import type {
  ResourceSet,
  TrafficResources,
  TrafficUpdate,
} from "../../core/traffic/resources/resource-set.ts";
import { textHash } from "../../kernel/text-hash.ts";
import type { Route, RouteAction } from "../../core/traffic/resources/route.ts";
import { NO_HEADER_OPERATIONS } from "../../core/traffic/resources/route.ts";
import { NO_RETRIES } from "../../core/traffic/retry.ts";
import type { TlsServices } from "../transport/contract/tls.ts";
import { CredentialStore } from "../transport/tls/credentials/credential-store.ts";
import { TicketKeys } from "../transport/tls/ticket-keys.ts";
import type { PolicyClient, CheckResult, Recheck } from "../policy/check-result.ts";
import { createProxy, type Proxy, type ProxyOptions } from "../proxy.ts";
import { callHttp2, http2Listener } from "./http2-peers.test.ts";
import { currentTransport, downstreamProtocol, upstreamProtocol } from "./transports.test.ts";

/** Shared by the proxy's tests: real sockets on free ports, with a scripted policy client and pilot. */

export const clock: Clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };

export const scheduler: Scheduler = {
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs);
    return () => clearTimeout(timer);
  },
  every(intervalMs, task) {
    const timer = setInterval(task, intervalMs);
    return () => clearInterval(timer);
  },
};

export class RecordingLogger implements Logger {
  readonly lines: { level: string; message: string; fields: unknown }[] = [];
  debug(message: string, fields?: unknown): void {
    this.lines.push({ level: "debug", message, fields });
  }
  info(message: string, fields?: unknown): void {
    this.lines.push({ level: "info", message, fields });
  }
  warn(message: string, fields?: unknown): void {
    this.lines.push({ level: "warn", message, fields });
  }
  error(message: string, fields?: unknown): void {
    this.lines.push({ level: "error", message, fields });
  }
  child(): Logger {
    return this;
  }
}

/** A host process whose logger is not read. */
export const runtime: Runtime & Pick<ProxyOptions, "compile"> = {
  clock,
  random: () => 0,
  scheduler,
  logger: new RecordingLogger(),
  compile: createJsonataCompiler({}, () => performance.now()),
};

/** Credentials of a proxy that uses none. */
export const NO_CREDENTIALS = new CredentialStore({
  ...runtime,
  files: { watch: (path) => assert.fail(`${path} is read`) },
  folder: undefined,
  systemAuthorities: undefined,
  onRead: () => {},
});

export const NO_TLS: TlsServices = { credentials: NO_CREDENTIALS, tickets: new TicketKeys(clock) };

export const ALLOW: CheckResult = {
  outcome: { kind: "allow" },
  requestHeaders: [],
  responseHeaders: [],
  quotas: [],
  shadowDenials: [],
  audits: [],
  checkCacheHit: true,
  quotaCacheHit: false,
};

/** A refusal by the AccessPolicy a. */
export function refusal(message: string): CheckResult {
  return {
    ...ALLOW,
    outcome: {
      kind: "deny",
      status: { code: "PERMISSION_DENIED", message },
      decidedBy: { kind: "AccessPolicy", name: "a" },
    },
  };
}

export class FakePolicy implements PolicyClient {
  guardsGateways = false;
  ready = true;
  decide: (bag: AttributeBag) => MaybePromise<CheckResult> = () => ALLOW;
  readonly checks: AttributeBag[] = [];
  readonly reports: AttributeBag[] = [];
  check(bag: AttributeBag): MaybePromise<CheckResult> {
    this.checks.push(bag);
    return this.decide(bag);
  }
  /** The decisions about open streams. */
  decideAnew: (bag: AttributeBag) => MaybePromise<Recheck> = () => "allowed";
  readonly #listeners = new Set<() => void>();
  recheck(bag: AttributeBag): MaybePromise<Recheck> {
    return this.decideAnew(bag);
  }
  watchPolicies(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  /** Puts other policies in force. */
  change(decideAnew: (bag: AttributeBag) => MaybePromise<Recheck>): void {
    this.decideAnew = decideAnew;
    for (const listener of this.#listeners) listener();
  }
  report(bag: AttributeBag): void {
    this.reports.push(bag);
  }
  async close(): Promise<void> {}
}

/** Clean-up after each test, last in first out. */
const cleanups: (() => Promise<unknown> | void)[] = [];

export function onCleanup(cleanup: () => Promise<unknown> | void): void {
  cleanups.push(cleanup);
}

export async function cleanUp(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
}

/** An upstream with the given listener. */
export async function httpUpstream(handler: RequestListener): Promise<{ port: number; server: Server }> {
  const server = createServer(handler);
  if (upstreamProtocol() === "http2") http2Listener(server, handler);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onCleanup(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return { port: (server.address() as AddressInfo).port, server };
}

/** A port without a listener. */
export async function deadPort(): Promise<number> {
  const { port, server } = await httpUpstream(() => {});
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** An upstream that handles raw connections. */
export async function tcpUpstream(
  onSocket: (socket: Socket, index: number) => void,
): Promise<{ port: number }> {
  const sockets = new Set<Socket>();
  let index = 0;
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    onSocket(socket, index++);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onCleanup(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return { port: (server.address() as AddressInfo).port };
}

export function endpointAt(port: number, more: Partial<Endpoint> = {}): Endpoint {
  return { address: "127.0.0.1", port, weight: 1, labels: {}, ...more };
}

/** A cluster together with its endpoints. */
type ClusterWithEndpoints = Cluster & ClusterLoadAssignment;

export function clusterOf(
  endpoints: readonly Endpoint[],
  more: Partial<ClusterWithEndpoints> = {},
): ClusterWithEndpoints {
  return {
    name: "outbound|80||reviews.default",
    service: { host: "reviews.default", name: "reviews", namespace: "default" },
    loadBalancer: { kind: "round-robin" },
    connectTimeoutMs: 1_000,
    maxRequests: 1024,
    maxRetries: 2 ** 32 - 1,
    maxConnectionsPerEndpoint: 1024,
    maxPendingRequestsPerEndpoint: 1024,
    maxRequestsPerConnection: 0,
    maxConnectionDurationMs: 0,
    connectionIdleTimeoutMs: 3_600_000,
    tcpKeepaliveTimeMs: 0,
    endpoints,
    checkedByDestination: false,
    protocol: upstreamProtocol(),
    ...more,
  };
}

type ForwardAction = Extract<RouteAction, { kind: "forward" }>;

export function forwardTo(cluster: string, more: Partial<ForwardAction> = {}): ForwardAction {
  return {
    kind: "forward",
    destinations: [
      {
        cluster,
        weight: 1,
        requestHeaders: NO_HEADER_OPERATIONS,
        responseHeaders: NO_HEADER_OPERATIONS,
      },
    ],
    timeoutMs: 0,
    retry: NO_RETRIES,
    ...more,
  };
}

export function routeOf(action: RouteAction, more: Partial<Route> = {}): Route {
  return {
    name: "default",
    matches: [],
    action,
    requestHeaders: NO_HEADER_OPERATIONS,
    responseHeaders: NO_HEADER_OPERATIONS,
    ...more,
  };
}

export const EDGE: Listener = {
  name: "edge",
  host: "127.0.0.1",
  port: 0,
  direction: "outbound",
  routeTable: "main",
  edge: true,
  trustedHops: 0,
  pathNormalization: "MERGE_SLASHES",
  limits: DEFAULT_LISTENER_LIMITS,
};

/** A set whose version is derived from its content, as pilot's is. */
export function setOf<R extends { readonly name: string }>(resources: readonly R[]): ResourceSet<R> {
  return { version: textHash(JSON.stringify(resources)).toString(36), resources };
}

export function configOf(parts: {
  readonly clusters: readonly ClusterWithEndpoints[];
  readonly routes?: readonly Route[];
  readonly listeners?: readonly Listener[];
}): TrafficResources {
  const routes = parts.routes ?? [routeOf(forwardTo(parts.clusters[0]?.name ?? ""))];
  return {
    clusters: setOf(
      parts.clusters.map(({ endpoints: _endpoints, checkedByDestination: _checked, ...cluster }) => cluster),
    ),
    endpoints: setOf(
      parts.clusters.map(({ name, endpoints, checkedByDestination }) => {
        return { name, endpoints, checkedByDestination };
      }),
    ),
    listeners: setOf(parts.listeners ?? [EDGE]),
    routes: setOf([{ name: "main", virtualHosts: [{ name: "all", domains: ["*"], routes }] }]),
  };
}

export interface Rig {
  readonly proxy: Proxy;
  readonly port: number;
  readonly policy: FakePolicy;
  readonly logger: RecordingLogger;
  apply(update: TrafficUpdate): void;
}

/** @param further Arrives after `config`, before the start is over. */
export async function startProxy(
  config: TrafficUpdate,
  options: Partial<ProxyOptions> = {},
  further: readonly TrafficUpdate[] = [],
): Promise<Rig> {
  const policy = new FakePolicy();
  const logger = new RecordingLogger();
  let listener: (update: TrafficUpdate) => void = () => {};
  const proxy = createProxy({
    node: { role: "edge", id: "edge~test", host: "127.0.0.1", port: 0, trustedHops: 0 },
    pilot: {
      watch(_subscription, onUpdate) {
        listener = onUpdate;
        for (const update of [config, ...further]) onUpdate(update);
        return () => {};
      },
    },
    policy,
    transport: currentTransport(),
    clock,
    random: Math.random,
    scheduler,
    logger,
    compile: runtime.compile,
    drainMs: 1_000,
    ...options,
    limits: { drainGraceMs: 100, ...options.limits },
  });
  onCleanup(() => proxy.close());
  await proxy.start();
  const port = proxy.addresses().listeners[0]?.port ?? 0;
  return { proxy, port, policy, logger, apply: (next) => listener(next) };
}

/** A proxy with one upstream that runs `handler`. */
export async function startWith(
  handler: RequestListener,
  options: {
    readonly action?: Partial<ForwardAction>;
    readonly route?: Partial<Route>;
    readonly cluster?: Partial<ClusterWithEndpoints>;
    readonly listener?: Partial<Listener>;
    readonly proxy?: Partial<ProxyOptions>;
  } = {},
): Promise<Rig> {
  const upstream = await httpUpstream(handler);
  const cluster = clusterOf([endpointAt(upstream.port)], options.cluster);
  const routes = [routeOf(forwardTo(cluster.name, options.action), options.route)];
  return startProxy(
    configOf({ clusters: [cluster], routes, listeners: [{ ...EDGE, ...options.listener }] }),
    options.proxy,
  );
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

interface Call {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string | string[]>;
  readonly body?: string | Buffer;
}

/** Sends one request on a connection of its own, in the protocol of the suite under way. */
export function call(port: number, options: Call = {}): Promise<Reply> {
  if (downstreamProtocol() === "http1") return callHttp1(port, options);
  const { method = "GET", path = "/", headers = {}, body } = options;
  return callHttp2(port, { method, path, headers, body });
}

/** Sends one request of HTTP/1.1 on a connection of its own. */
export function callHttp1(port: number, options: Call = {}): Promise<Reply> {
  const { method = "GET", path = "/", body } = options;
  const headers = { ...options.headers };
  if (body !== undefined && headers["transfer-encoding"] === undefined) {
    headers["content-length"] = String(Buffer.byteLength(body));
  }
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: "127.0.0.1", port, method, path, headers, agent: false }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("error", reject);
      incoming.on("end", () => {
        const { statusCode = 0, rawHeaders } = incoming;
        resolve({
          status: statusCode,
          headers: incoming.headers,
          rawHeaders,
          body: Buffer.concat(chunks).toString(),
        });
      });
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/** How long `raw` waits for the first byte, and then for each further one. */
const FIRST_BYTE_MS = 5_000;
const QUIET_MS = 300;

/**
 * Sends bytes and returns all that arrives until the peer closes, or until it has sent nothing for a while after its first
 * byte. With `untilMs`, until they have passed at most.
 */
export function raw(port: number, bytes: string | readonly string[], untilMs?: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    let received = "";
    const timer = setTimeout(() => socket.destroy(), untilMs ?? FIRST_BYTE_MS);
    let quiet: NodeJS.Timeout | undefined;
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
      if (untilMs !== undefined) return;
      clearTimeout(timer);
      clearTimeout(quiet);
      quiet = setTimeout(() => socket.destroy(), QUIET_MS);
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(timer);
      clearTimeout(quiet);
      resolve(received);
    });
    const parts = typeof bytes === "string" ? [bytes] : bytes;
    for (const part of parts) socket.write(part, "latin1");
  });
}

export function later(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}

/** Waits until `holds` is true, for a second at most. */
export async function until(holds: () => boolean): Promise<void> {
  const end = Date.now() + 5_000;
  while (!holds() && Date.now() < end) await later(5);
  if (!holds()) throw new Error(`never held: ${holds.toString()}`);
}

/** A group of attributes of the first bag; empty when there is none. */
export function groupOf(bags: readonly AttributeBag[], group: string): Readonly<Record<string, unknown>> {
  return (bags[0]?.[group] ?? {}) as Readonly<Record<string, unknown>>;
}
