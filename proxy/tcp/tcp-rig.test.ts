// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { connect, type Socket } from "node:net";

import type { Listener } from "../../core/traffic/resources/listener.ts";
import type { PassthroughServer, TcpListener, TcpRoute } from "../../core/traffic/resources/tcp.ts";
import type { ProxyOptions } from "../proxy.ts";
import {
  clusterOf,
  configOf,
  EDGE,
  endpointAt,
  onCleanup,
  type Rig,
  startProxy,
} from "../testing/harness.test.ts";
import { HTTP_TRANSPORT } from "../transport/http-transport.ts";

// Shared by the tests of forwarded connections: real sockets on free ports.

export function tcpRouteOf(cluster: string, more: Partial<TcpRoute> = {}): TcpRoute {
  return { name: "db", matches: [], destinations: [{ cluster, weight: 1 }], ...more };
}

/** A listener in plain text. */
export function plainTcp(...routes: readonly TcpRoute[]): TcpListener {
  return { plainTable: "tcp", passthroughServers: [], tables: [{ name: "tcp", routes }] };
}

/** A listener that forwards TLS of any name to the routes. */
export function passthroughTcp(
  routes: readonly TcpRoute[],
  serverNames: PassthroughServer["serverNames"] = ["*"],
): TcpListener {
  const server = { name: "pass", serverNames, routeTable: "tls" };
  return { passthroughServers: [server], tables: [{ name: "tls", routes }] };
}

type ClusterMore = Parameters<typeof clusterOf>[1];

/** A configuration with a cluster for each port, by its name. */
export function tcpConfigOf(
  ports: Readonly<Record<string, number>>,
  listener: Partial<Listener>,
  cluster: ClusterMore = {},
) {
  return configOf({
    clusters: Object.entries(ports).map(([name, port]) =>
      clusterOf([endpointAt(port)], { name, ...cluster }),
    ),
    routes: [],
    listeners: [{ ...EDGE, ...listener }],
  });
}

/** A proxy whose only listener forwards plain TCP to the port. */
export function startTcp(
  port: number,
  cluster: ClusterMore = {},
  options: Partial<ProxyOptions> = {},
): Promise<Rig> {
  const config = tcpConfigOf({ db: port }, { tcp: plainTcp(tcpRouteOf("db")) }, cluster);
  return startProxy(config, { transport: HTTP_TRANSPORT, ...options });
}

/** A client's connection with what came on it. */
export class TestClient {
  readonly socket: Socket;
  text = "";
  ended = false;
  error: string | undefined;
  /** Resolves when the socket is closed. */
  readonly closed: Promise<void>;

  constructor(port: number, allowHalfOpen = false) {
    this.socket = connect({ port, host: "127.0.0.1", allowHalfOpen });
    this.socket.on("data", (chunk) => (this.text += chunk.toString("latin1")));
    this.socket.on("end", () => (this.ended = true));
    this.socket.on("error", ({ code }: NodeJS.ErrnoException) => (this.error = code));
    this.closed = new Promise((resolve) => this.socket.on("close", () => resolve()));
    onCleanup(() => void this.socket.destroy());
  }
}

/** The samples of a metric, by the value of a label. */
export async function samplesOf({ proxy }: Rig, name: string, label: string) {
  const family = await proxy.registry.getSingleMetric(name)?.get();
  return Object.fromEntries(
    (family?.values ?? []).map(({ labels, value }) => [String(labels[label]), value] as const),
  );
}
