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
import { HeaderList } from "../transport/contract/header-list.ts";
import { byExactness, serverOfName } from "../transport/tls/server/server-names.ts";
import type { LocalReply } from "../exchange/local-reply.ts";
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
 * Runs the proxy's own filters up to the check, without opening a connection: returns the attributes that a
 * proxy with these resources would send to the mixer, or the local reply that it would make before the check.
 * The client's address is loopback. At a listener with TLS, the client asks for the server name of its Host header, and
 * shows no certificate. Tokens are verified by the keys in the documents; keys at a URL are not fetched, and count as away. The
 * result is a promise only for a request with a token.
 */
export function bagOfTrial(
  resources: TrafficResources,
  node: ProxyNode,
  { method, target, rawHeaders }: TrialRequest,
  services: TrialServices,
): MaybePromise<TrialResult> {
  const { clock } = services;
  const listeners = resources.listeners.resources;
  const listener = listeners.find(carriesHttp) ?? listeners[0];
  if (listener === undefined) throw new Error("a proxy's resources have a listener");
  const snapshot = withoutConnections(resources, services);
  const stream = {
    connection: {
      id: "1",
      remoteIp: LOOPBACK,
      remotePort: 0,
      localIp: LOOPBACK,
      localPort: listener.port,
      tls: tlsOf(listener, rawHeaders),
    },
    head: {
      method,
      target,
      headers: HeaderList.fromRaw(rawHeaders),
      httpVersion: "1.1",
      hasBody: false,
      contentLength: undefined,
      upgrade: undefined,
    },
  };
  const binding = { listener, snapshot };
  const exchange = new Exchange(binding, stream, clock.nowMs(), clock.monotonicMs());
  const reply = new FilterChain(filtersBeforeCheck({ ...services, node })).request(exchange);
  return chain(reply, (known): TrialResult => {
    return known === undefined ? { bag: exchange.attributes as AttributeBag } : { reply: known };
  });
}

function carriesHttp({ tlsServers, tcp }: Listener): boolean {
  return tcp === undefined || tlsServers?.some(({ protocol }) => protocol !== "tcp") === true;
}

function tlsOf({ tlsServers }: Listener, rawHeaders: readonly string[]): TlsFacts | undefined {
  if (tlsServers === undefined) return undefined;
  const host = HeaderList.fromRaw(rawHeaders).get("host") ?? "";
  const authority = parseAuthority(host);
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
