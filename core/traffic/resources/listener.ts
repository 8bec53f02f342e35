// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { PathNormalization } from "../../../kernel/canonical/path.ts";
import type { RateLimitSettings } from "../../../kernel/rate-limit-settings.ts";
import type { RequestAuthentication } from "./request-authentication.ts";
import type { TcpListener } from "./tcp.ts";
import type { MeshPeers, TlsServer } from "./tls.ts";

/** A socket that a proxy listens on, with the route table for its requests. */
export interface Listener {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** The servers of Gateways that ask for the port, for messages; absent where the proxy's own flags do. */
  readonly origin?: string;
  /**
   * `outbound`: on the client's side of the call (edge and sidecar outbound). `inbound`: in front of the
   * service itself.
   */
  readonly direction: "inbound" | "outbound";
  readonly routeTable: string;
  /**
   * Whether the downstream is untrusted (an edge): then forwarding headers are accepted only from
   * `trustedHops` proxies in front, and `x-request-id` and Purser's own headers are replaced.
   */
  readonly edge: boolean;
  readonly trustedHops: number;
  readonly pathNormalization: PathNormalization;
  readonly limits: ListenerLimits;
  /** Default: every new trace is sampled, and B3 headers are passed on unread. */
  readonly tracing?: ListenerTracing;
  /** Default: the newest form of the fields, merged with the upstream's. */
  readonly rateLimitHeaders?: RateLimitSettings;
  /** Whether each connection must begin with a header of the PROXY protocol; default false. */
  readonly proxyProtocol?: boolean;
  /** Whether calls of gRPC-Web are translated to gRPC, wherever they go; default false. */
  readonly grpcWeb?: boolean;
  /** Servers that terminate TLS; default: the listener accepts plain text. */
  readonly tlsServers?: readonly TlsServer[];
  /** Connections that are forwarded as bytes; absent: the listener carries HTTP alone. */
  readonly tcp?: TcpListener;
  /** The tokens that requests may carry; default: tokens are not looked at. */
  readonly requestAuthentication?: RequestAuthentication;
  /** Mutual TLS with other proxies, of a sidecar's inbound listener; default: none. Never beside `tlsServers`. */
  readonly peerTls?: PeerTls;
}

/** `strict`: plain text is refused. `permissive`: the port accepts both, by the first byte of a connection. */
export const PEER_TLS_MODES = ["strict", "permissive"] as const;

export interface PeerTls extends MeshPeers {
  readonly mode: (typeof PEER_TLS_MODES)[number];
}

/** Forms of the headers of B3: `b3` in one header, or `x-b3-*`; `NONE` neither reads nor writes any. */
export const B3_FORMS = ["NONE", "SINGLE_HEADER", "MULTI_HEADER"] as const;
export type B3Form = (typeof B3_FORMS)[number];

/** Traces of a listener's requests. */
export interface ListenerTracing {
  /** Percentage of new traces that are sampled, 0 to 100; traces of callers keep the callers' decision. */
  readonly randomSamplingPercentage: number;
  /** B3 headers that are written beside `traceparent`; both forms are read, unless it is `NONE`. */
  readonly b3: B3Form;
}

/** Limits on a listener's clients. The defaults are Envoy's, where Envoy has one. */
export interface ListenerLimits {
  /** Connections that are open at the same time; default 10000. Further connections are closed at once. */
  readonly maxConnections: number;
  /** Size of a request's head; default 60 KiB. A larger head is answered with 431. */
  readonly maxHeaderBytes: number;
  /**
   * Time from a request's first byte, or from the connection's start, to the end of its head; default 10 s, then 408.
   */
  readonly headersTimeoutMs: number;
  /** Time from a connection's start to the end of its TLS handshake; default 10 s, then it is closed. */
  readonly handshakeTimeoutMs: number;
  /** TLS handshakes that are under way at the same time; default 1000. */
  readonly maxHandshakes: number;
  /** Time from the end of a request's head to the end of its body; default 0, no limit, as in Envoy. */
  readonly requestTimeoutMs: number;
  /** Time without a request under way; default 1 hour. */
  readonly connectionIdleMs: number;
  /** Time within a request or upgraded connection without a byte in either direction; default 5 minutes. */
  readonly streamIdleMs: number;
  /**
   * Time that a drain leaves idle connections, so that a request that is just arriving is still answered; default 1 s.
   */
  readonly drainGraceMs: number;
  /**
   * Memory of the process in bytes; default 0, the container's limit where there is one. V8's own heap limit counts in
   * any case. At 95 % of a limit responses close their connections, at 98 % new connections are refused: the thresholds
   * that Envoy recommends for edge proxies.
   */
  readonly memoryLimitBytes: number;
}
