// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Transport } from "../transport/contract/transport.ts";
import { NODE_TRANSPORT } from "../transport/node-transport.ts";

interface TransportUnderTest {
  readonly transport: Transport;
  /** Whether clients may speak HTTP/1.1 to it. */
  readonly http1: boolean;
}

/** Every transport that the proxy has. A new one is a line here, and passes the suites of the pipeline. */
const TRANSPORTS: readonly TransportUnderTest[] = [{ transport: NODE_TRANSPORT, http1: true }];

let current: Transport = NODE_TRANSPORT;

/** The transport that the suite under way is about. */
export function currentTransport(): Transport {
  return current;
}

/** A suite of the pipeline: what it says holds over every transport. */
export function describeTransports(title: string, body: () => void): void {
  describeOver(TRANSPORTS, title, body);
}

/** A suite about HTTP/1.1 on the wire: its framing, and what its clients may do to it. */
export function describeHttp1(title: string, body: () => void): void {
  describeOver(
    TRANSPORTS.filter(({ http1 }) => http1),
    title,
    body,
  );
}

function describeOver(transports: readonly TransportUnderTest[], title: string, body: () => void): void {
  for (const { transport } of transports) {
    describe(`${title}, over ${transport.name}`, () => {
      before(() => {
        current = transport;
      });
      body();
    });
  }
}
