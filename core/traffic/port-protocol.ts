// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** The protocol of a port of Kubernetes' Services: Istio's rules of explicit and automatic protocol selection. */

/** A port of a Service. */
export interface NamedPort {
  readonly port: number;
  readonly name?: string;
  /** TCP when absent. */
  readonly protocol?: string;
  readonly appProtocol?: string;
}

/**
 * Protocols of ports that carry HTTP, as their endpoints speak it. `grpc-web`: `http2`, for clients of gRPC-Web, whose calls
 * proxies translate.
 */
export type HttpProtocol = "http1" | "http2" | "grpc-web";

/** Names of protocols that are HTTP, towards endpoints in the clear. */
const HTTP_PROTOCOLS: ReadonlyMap<string, HttpProtocol> = new Map([
  ["http", "http1"],
  ["http2", "http2"],
  ["grpc", "http2"],
  ["grpc-web", "grpc-web"],
  // Kubernetes' names of application protocols (KEP-3726).
  ["kubernetes.io/h2c", "http2"],
  ["kubernetes.io/ws", "http1"],
]);

/** The protocol of a name in documents of Istio, in capitals or not, of those that carry HTTP; `http1` for any other name. */
export function httpProtocolNamed(name: string): HttpProtocol {
  return HTTP_PROTOCOLS.get(name.toLowerCase()) ?? "http1";
}

/** Names of protocols whose connections are forwarded as bytes. */
const OTHER_PROTOCOLS: ReadonlySet<string> = new Set([
  "https",
  "hbone",
  "kubernetes.io/wss",
  "mongo",
  "mysql",
  "redis",
  "tcp",
  "thrift",
  "tls",
  "udp",
]);

/** Ports whose servers speak first (SMTP, DNS, MySQL, MongoDB): without a name, Istio takes them for TCP. */
const SERVERS_SPEAK_FIRST: ReadonlySet<number> = new Set([25, 53, 3306, 27017]);

/**
 * The protocol towards the endpoints of a port; undefined for a port that is not HTTP. appProtocol comes before the
 * port's name, `PROTOCOL` or `PROTOCOL-SUFFIX`. Istio looks at the traffic of a port with neither; here it is HTTP/1.1.
 */
export function httpProtocolOf({
  port,
  name = "",
  protocol = "TCP",
  appProtocol,
}: NamedPort): HttpProtocol | undefined {
  if (protocol.toUpperCase() !== "TCP") return undefined;
  const declared =
    protocolNameOf(appProtocol?.toLowerCase()) ?? protocolNameOf(nameOfProtocol(name.toLowerCase()));
  if (declared === undefined) return SERVERS_SPEAK_FIRST.has(port) ? undefined : "http1";
  return HTTP_PROTOCOLS.get(declared);
}

function protocolNameOf(name: string | undefined): string | undefined {
  return name !== undefined && (HTTP_PROTOCOLS.has(name) || OTHER_PROTOCOLS.has(name)) ? name : undefined;
}

function nameOfProtocol(name: string): string {
  if (name === "grpc-web" || name.startsWith("grpc-web-")) return "grpc-web";
  const dash = name.indexOf("-");
  return dash < 0 ? name : name.slice(0, dash);
}
