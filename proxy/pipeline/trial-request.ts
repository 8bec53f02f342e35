// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ProxyNode } from "../../api/pilot-service.ts";
import type { AttributeBag } from "../../core/attributes/bag.ts";
import { parseAuthority } from "../../kernel/canonical/authority.ts";
import { Malformed } from "../../kernel/canonical/malformed.ts";
import { chain, type MaybePromise } from "../../kernel/maybe-promise.ts";
import type { Clock, Logger, Random } from "../../kernel/ports.ts";
import type { BalancingPorts } from "../../core/traffic/balancing/load-balancer.ts";
import type { Listener } from "../../core/traffic/resources/listener.ts";
import type { TrafficResources } from "../../core/traffic/resources/resource-set.ts";
import { Authenticators } from "../authentication/authenticators.ts";
import { Cluster, newClusterLoad } from "../upstream/cluster.ts";
import { EndpointSet } from "../upstream/endpoint-set.ts";
import { Exchange } from "../exchange/exchange.ts";
import { filtersBeforeCheck } from "../filters/chain.ts";
import { FilterChain } from "../filters/filter-chain.ts";
import type { TlsFacts } from "../transport/contract/connection.ts";
import type { RequestHead } from "../transport/contract/head.ts";
import type { HeaderList } from "../transport/contract/header-list.ts";
import { HeadReader } from "../transport/http1/messages/head-reader.ts";
import { MessageFault } from "../transport/http1/messages/message-fault.ts";
import { parseRequestHead } from "../transport/http1/messages/request-head.ts";
import { byExactness, serverOfName } from "../transport/tls/server/server-names.ts";
import { errorReply, type LocalReply } from "../exchange/local-reply.ts";
import { DEFAULT_UPGRADES } from "../transport/contract/default-upgrades.ts";
import { RouteTableCache } from "../snapshot/route-table-cache.ts";
import { ProxySnapshot } from "../snapshot/snapshot.ts";

/** A request as a client would send it to a proxy's first listener for HTTP. */
export interface TrialRequest {
  readonly method: string;
  /** The request target with its query, as on the request line. */
  readonly target: string;
  /** name, value, name, value …; values as Latin-1 text, one character per byte. */
  readonly rawHeaders: readonly string[];
}

export interface TrialServices {
  readonly clock: Clock;
  readonly random: Random;
  readonly newId: () => string;
}

const LOOPBACK = "127.0.0.1";

const noop = (): void => undefined;

const SILENT: Logger = { debug: noop, info: noop, warn: noop, error: noop, child: () => SILENT };

/** The attributes of the request, or the reply that ends it before the check. */
export type TrialResult = { readonly bag: AttributeBag } | { readonly reply: LocalReply };

/**
 * Runs the proxy's own codec of HTTP/1.1 and its filters up to the check, without opening a connection: returns the attributes that a
 * proxy with these resources would send to the mixer, or the local reply that it would make before the check.
 * The client's address is loopback. At a listener with TLS, the client asks for the server name of its Host header, and
 * shows no certificate. Tokens are verified by the keys in the documents; keys at a URL are not fetched, and count as away. The
 * result is a promise only for a request with a token.
 */
export function bagOfTrial(
  resources: TrafficResources,
  node: ProxyNode,
  request: TrialRequest,
  services: TrialServices,
): MaybePromise<TrialResult> {
  const { clock } = services;
  const listeners = resources.listeners.resources;
  const listener = listeners.find(carriesHttp) ?? listeners[0];
  if (listener === undefined) throw new Error("a proxy's resources have a listener");
  const head = readHead(request, listener.limits.maxHeaderBytes);
  if (head instanceof MessageFault) return { reply: errorReply(head.reason, head.detail) };
  const snapshot = withoutConnections(resources, services);
  const stream = {
    connection: {
      id: "1",
      remoteIp: LOOPBACK,
      remotePort: 0,
      localIp: LOOPBACK,
      localPort: listener.port,
      tls: tlsOf(listener, head.headers),
    },
    head,
  };
  const binding = { listener, snapshot };
  const exchange = new Exchange(binding, stream, clock.nowMs(), clock.monotonicMs());
  const reply = new FilterChain(filtersBeforeCheck({ ...services, node })).request(exchange);
  return chain(reply, (known): TrialResult => {
    return known === undefined ? { bag: exchange.attributes as AttributeBag } : { reply: known };
  });
}

/** Reads the request's bytes in HTTP/1.1 as a server does, so that a request that no server accepts has no attributes. */
function readHead(
  { method, target, rawHeaders }: TrialRequest,
  maxBytes: number,
): RequestHead | MessageFault {
  const lines = [`${method} ${target} HTTP/1.1`];
  for (let index = 0; index < rawHeaders.length; index += 2)
    lines.push(`${rawHeaders[index] as string}: ${rawHeaders[index + 1] as string}`);
  // A line with a line break would be read as two.
  if (lines.some((line) => /[\r\n]/.test(line)))
    return new MessageFault("bad_request", "The request has a line break within a line of its head.");
  const reader = new HeadReader(maxBytes);
  const end = reader.read(Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), 0);
  if (end < 0) return reader.fault ?? new MessageFault("bad_request", "The head of the request has no end.");
  const parsed = parseRequestHead(reader.text, DEFAULT_UPGRADES);
  return parsed instanceof MessageFault ? parsed : parsed.head;
}

function carriesHttp({ tlsServers, tcp }: Listener): boolean {
  return tcp === undefined || tlsServers?.some(({ protocol }) => protocol !== "tcp") === true;
}

function tlsOf({ tlsServers }: Listener, headers: HeaderList): TlsFacts | undefined {
  if (tlsServers === undefined) return undefined;
  const authority = parseAuthority(headers.get("host") ?? "");
  const serverName = authority instanceof Malformed ? undefined : authority.host;
  const server = serverOfName(
    byExactness(
      tlsServers.filter(({ protocol }) => protocol !== "tcp"),
      ({ serverNames }) => serverNames,
    ),
    serverName,
  );
  if (server === undefined) return undefined;
  return { serverName, alpn: undefined, peerCertificate: undefined, routeTable: server.routeTable };
}

/** A snapshot whose clusters have no endpoints. */
function withoutConnections(
  resources: TrafficResources,
  ports: BalancingPorts & TrialServices,
): ProxySnapshot {
  const clusters = new Map(
    resources.clusters.resources.map((config) => {
      return [config.name, new Cluster(config, newClusterLoad(), undefined)] as const;
    }),
  );
  const endpoints = new Map(
    [...clusters].map(([name, cluster]) => {
      const assignment = { name, endpoints: [], checkedByDestination: false };
      return [name, new EndpointSet(cluster, assignment, [], ports, noop)] as const;
    }),
  );
  const routeTables = new RouteTableCache().compile(resources.routes);
  const authenticators = new Authenticators({
    ...ports,
    // Nothing is tried again.
    scheduler: { after: () => noop, every: () => noop },
    logger: SILENT,
    fetch: () => Promise.reject(new Error("is not asked")),
    onFetched: noop,
  }).build(resources.listeners.resources);
  return new ProxySnapshot({ resources, routeTables, clusters, endpoints, authenticators }, noop);
}
