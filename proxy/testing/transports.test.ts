// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Transport } from "../transport/contract/transport.ts";
import { HTTP1_TRANSPORT } from "../transport/http1/http1-transport.ts";

interface TransportUnderTest {
  readonly transport: Transport;
  /** Whether it accepts HTTP/1.1 from clients. */
  readonly http1: boolean;
}

/** Every transport that the proxy has. Add a transport here, and the suites of the pipeline run over it. */
const TRANSPORTS: readonly TransportUnderTest[] = [{ transport: HTTP1_TRANSPORT, http1: true }];

let current: Transport = HTTP1_TRANSPORT;

/** The transport of the suite under way. */
export function currentTransport(): Transport {
  return current;
}

/** A suite of the pipeline, run over every transport. */
export function describeTransports(title: string, body: () => void): void {
  describeOver(TRANSPORTS, title, body);
}

/** A suite about HTTP/1.1 on the wire: its framing and its abuse by clients. */
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
