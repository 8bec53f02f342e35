// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { TlsServer } from "../../../../core/traffic/resources/tls.ts";
import type { ConnectionFacts } from "../../contract/connection.ts";
import type { RawSession } from "../../contract/raw.ts";
import type { AcceptedConnection } from "./accepted-connection.ts";

/** The listener's part that accepted a raw connection: plain text, or a server by its name. */
export type RawOrigin = { readonly kind: "plain" } | { readonly kind: "passthrough"; readonly name: string };

/**
 * A connection that is not HTTP, among the server's other connections. Its session has timers of its own, so that a
 * tick means nothing to it. A drain leaves it alone until the server cuts what is left.
 */
export class RawAccepted implements AcceptedConnection {
  readonly tlsServer: TlsServer | undefined;
  readonly facts: ConnectionFacts;
  /** Undefined for a connection whose TLS ends here. */
  readonly origin: RawOrigin | undefined;
  /** Set before the first event of the socket. */
  session: RawSession | undefined;

  constructor(facts: ConnectionFacts, tlsServer: TlsServer | undefined, origin: RawOrigin | undefined) {
    this.facts = facts;
    this.tlsServer = tlsServer;
    this.origin = origin;
  }

  retire(): void {
    this.session?.retire();
  }

  onTick(): void {}

  rescale(): void {}

  cut(): void {
    this.session?.cut();
  }
}
