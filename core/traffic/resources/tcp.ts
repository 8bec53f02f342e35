// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Connections of a listener that are forwarded as bytes: Envoy's tcp_proxy. */
export interface TcpListener {
  /** Name of the table for connections in plain text; absent: plain text is HTTP, or refused where the port has TLS. */
  readonly plainTable?: string;
  /** Servers whose TLS is not ended here: connections are routed by the server name in the ClientHello. */
  readonly passthroughServers: readonly PassthroughServer[];
  readonly tables: readonly TcpRouteTable[];
}

/** One server of a listener that forwards TLS as it is. */
export interface PassthroughServer {
  /** Unique within the listener, among the servers that end TLS too. */
  readonly name: string;
  /** Server names (SNI), in lower case: `db.example.com`, `*.example.com`, or `*` for any name or none. */
  readonly serverNames: readonly string[];
  /** Name of a table of the listener. */
  readonly routeTable: string;
}

export interface TcpRouteTable {
  readonly name: string;
  readonly routes: readonly TcpRoute[];
}

export interface TcpRoute {
  readonly name: string;
  /** The route takes a connection that one of these matches; every connection when empty. */
  readonly matches: readonly TcpMatch[];
  readonly destinations: readonly TcpDestination[];
}

export interface TcpMatch {
  /** Server names (SNI) that the client asks for, in the form of `PassthroughServer.serverNames`; empty for any. */
  readonly serverNames: readonly string[];
  /** Addresses or blocks (`10.0.0.0/8`) of which one holds the address that the client called; empty for any. */
  readonly destinationSubnets: readonly string[];
}

export interface TcpDestination {
  readonly cluster: string;
  /** Relative to the route's other destinations. */
  readonly weight: number;
}
