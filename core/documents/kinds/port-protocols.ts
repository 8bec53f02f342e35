// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Choice } from "./fields.ts";

/** Protocols of ports whose connections are forwarded as bytes. */
const BYTE_PROTOCOLS = ["TCP", "TLS", "HTTPS", "MONGO", "MYSQL", "REDIS"];
const PROTOCOLS: readonly string[] = ["HTTP", "HTTP2", "GRPC", "GRPC-WEB", ...BYTE_PROTOCOLS];

/** The protocol of a port of a service, or of a sidecar's listener for it. @param ofBytes What is done with bytes. */
export function PortProtocol(ofBytes: string) {
  return Choice(
    [...PROTOCOLS, ...PROTOCOLS.map((name) => name.toLowerCase())],
    "The protocol, in capitals or not: HTTP is HTTP/1.1 towards endpoints; HTTP2 and GRPC are HTTP/2 without TLS. GRPC-WEB: GRPC, and proxies translate calls of gRPC-Web to it. Proxies accept both on every port. " +
      `${BYTE_PROTOCOLS.join(", ")}: bytes, ${ofBytes}.`,
  );
}

/** The form of a port's connections: HTTP in plain text, bytes in plain text, or TLS around either. */
export type Carried = "http" | "tcp" | "tls";

/** @param protocol Of a port of a Gateway, a ServiceEntry or a Sidecar, in capitals or not. */
export function carriedBy(protocol: string): Carried {
  const name = protocol.toUpperCase();
  if (name === "HTTPS" || name === "TLS") return "tls";
  return BYTE_PROTOCOLS.includes(name) ? "tcp" : "http";
}
