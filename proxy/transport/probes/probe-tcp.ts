// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { connect, type Socket } from "node:net";

import type { CheckOutcome } from "../../../core/traffic/health/active-health.ts";
import type { Cancel } from "../../../kernel/ports.ts";
import type { ClientSettings } from "../contract/client.ts";
import { TlsConnector } from "../tls/client/tls-connector.ts";
import type { Probe } from "./probe.ts";

type ProbedConnection = Pick<
  ClientSettings,
  "host" | "port" | "protocol" | "tls" | "credentials" | "mesh" | "onTlsFault"
>;

/** Checks by opening a connection, with TLS where requests have it, which is closed at once. */
export class TcpProbe implements Probe {
  readonly #address: { readonly host: string; readonly port: number };
  #connector: TlsConnector | undefined;

  constructor(settings: ProbedConnection) {
    const { host, port, protocol, tls } = settings;
    this.#address = { host, port };
    if (tls !== undefined)
      this.#connector = new TlsConnector(tls, settings, protocol === "http2" ? "h2" : "http/1.1");
  }

  check(onDone: (outcome: CheckOutcome) => void): Cancel {
    const connector = this.#connector;
    const socket: Socket = connector?.connect(this.#address, 0) ?? connect(this.#address);
    let isOver = false;
    const end = (outcome?: CheckOutcome): void => {
      if (isOver) return;
      isOver = true;
      // The end of the handshake is still to be sent: a server would log a connection that was cut.
      if (outcome === "success") socket.destroySoon();
      else socket.destroy();
      if (outcome !== undefined) onDone(outcome);
    };
    // A secure connection is open once the server is verified.
    socket.on(connector === undefined ? "connect" : "secureConnect", () => end("success"));
    // Also after the end: an error without a listener would end the process.
    socket.on("error", () => end("network_failure"));
    return () => end();
  }

  close(): void {
    this.#connector?.close();
    this.#connector = undefined;
  }
}
