// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Transport } from "../transport/contract/transport.ts";
import { TlsTransport } from "./tls-transport.test.ts";
import { HTTP_TRANSPORT } from "../transport/http-transport.ts";

type Protocol = "http1" | "http2";

interface TransportUnderTest {
  readonly name: string;
  readonly transport: Transport;
  /** The protocol of the tests' clients, and of their upstreams. */
  readonly down: Protocol;
  readonly up: Protocol;
  /** The scheme of the requests that listeners get; default http. */
  readonly scheme?: "https";
  /** Called before each suite; returns the clean-up after it. */
  prepare?(context: Mocha.Context): () => void;
}

const HTTP1: TransportUnderTest = { name: "http/1.1", transport: HTTP_TRANSPORT, down: "http1", up: "http1" };

const TLS_TRANSPORT = new TlsTransport();
const HTTP1_OVER_TLS: TransportUnderTest = {
  name: "http/1.1 over TLS",
  transport: TLS_TRANSPORT,
  down: "http1",
  up: "http1",
  scheme: "https",
  prepare: (context) => TLS_TRANSPORT.prepare(context),
};

/** Every transport that the proxy has. Add a transport here, and the suites of the pipeline run over it. */
const TRANSPORTS: readonly TransportUnderTest[] = [
  HTTP1,
  HTTP1_OVER_TLS,
  { name: "http/2 to http/1.1", transport: HTTP_TRANSPORT, down: "http2", up: "http1" },
  { name: "http/1.1 to http/2", transport: HTTP_TRANSPORT, down: "http1", up: "http2" },
  { name: "http/2", transport: HTTP_TRANSPORT, down: "http2", up: "http2" },
];

let current = HTTP1;
/** The transport whose suite is being defined. */
let defined = HTTP1;

/** The transport of the suite under way. */
export function currentTransport(): Transport {
  return current.transport;
}

/** The protocol that the clients of the suite under way speak. */
export function downstreamProtocol(): Protocol {
  return current.down;
}

/** The protocol that the upstreams of the suite under way speak. */
export function upstreamProtocol(): Protocol {
  return current.up;
}

/** The scheme of the requests of the suite under way. */
export function currentScheme(): "http" | "https" {
  return current.scheme ?? "http";
}

/** A suite of the pipeline, run over every transport. */
export function describeTransports(title: string, body: () => void): void {
  describeOver(TRANSPORTS, title, body);
}

/** A suite whose clients or upstreams write HTTP/1.1 by hand. */
export function describeHttp1(title: string, body: () => void): void {
  describeOver([HTTP1, HTTP1_OVER_TLS], title, body);
}

/**
 * A test in which a peer writes HTTP/1.1 by hand, or looks at a connection of it: the client (`down`), the upstream (`up`), or
 * both. It runs over the transports that speak HTTP/1.1 there.
 */
export function itHttp1(side: "down" | "up" | "both", title: string, body: () => Promise<void>): void {
  const fits = (side === "up" || defined.down === "http1") && (side === "down" || defined.up === "http1");
  if (fits) it(title, body);
}

function describeOver(transports: readonly TransportUnderTest[], title: string, body: () => void): void {
  for (const transport of transports) {
    describe(`${title}, over ${transport.name}`, () => {
      let cleanUp: (() => void) | undefined;
      before(function () {
        cleanUp = transport.prepare?.(this);
        current = transport;
      });
      after(() => {
        current = HTTP1;
        cleanUp?.();
      });
      defined = transport;
      body();
      defined = HTTP1;
    });
  }
}
