// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** One end of a connection. */
export interface ConnectionEnd {
  /** In canonical form. */
  readonly ip: string;
  readonly port: number;
}

/** A header of the PROXY protocol, by which a load balancer tells whose connection it forwards. */
export interface ProxyHeader {
  /** The header's length in bytes; the connection's own bytes follow. */
  readonly length: number;
  /**
   * The client and the address that it called. Undefined when the sender speaks for itself, as in a health check, or
   * the client has no IP address: then the connection's own addresses apply.
   */
  readonly ends: { readonly source: ConnectionEnd; readonly destination: ConnectionEnd } | undefined;
}

/** The result of reading the first bytes of a connection. */
export type ProxyHeaderResult =
  | { readonly kind: "header"; readonly header: ProxyHeader }
  /** The header is not complete yet. */
  | { readonly kind: "more" }
  /** The bytes are not a header: the connection must be closed. */
  | { readonly kind: "fault"; readonly detail: string };

export const MORE: ProxyHeaderResult = { kind: "more" };

export function headerFault(detail: string): ProxyHeaderResult {
  return { kind: "fault", detail };
}
