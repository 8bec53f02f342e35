// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Cancel } from "../../../kernel/ports.ts";
import type { ClientSettings } from "../contract/client.ts";
import type { ProxiedEnds } from "../contract/connection.ts";
import type { DialEvents, RawDialer } from "../contract/raw.ts";
import { connectionErrorText } from "../tls/client/connection-error-text.ts";
import { TlsConnector } from "../tls/client/tls-connector.ts";
import { openSocket } from "./open-socket.ts";

/** Opens connections over sockets, with TLS where the settings say so. */
export class SocketDialer implements RawDialer {
  readonly #settings: ClientSettings;
  readonly #connector: TlsConnector | undefined;

  constructor(settings: ClientSettings) {
    const { tls } = settings;
    this.#settings = settings;
    this.#connector = tls === undefined ? undefined : new TlsConnector(tls, settings, undefined);
  }

  dial(ends: ProxiedEnds, events: DialEvents): Cancel {
    const isSecure = this.#connector !== undefined;
    const socket = openSocket(this.#settings, this.#connector, { allowHalfOpen: true }, ends);
    let state: "connecting" | "open" | "given-up" = "connecting";
    let detail = "the connection was closed";
    socket.on(isSecure ? "secureConnect" : "connect", () => {
      if (state !== "connecting") return;
      state = "open";
      events.onConnected(socket);
    });
    socket.on("error", (error) => (detail = connectionErrorText(error, isSecure)));
    socket.on("close", () => {
      if (state !== "connecting") return;
      state = "given-up";
      events.onFailed(detail);
    });
    return () => {
      if (state === "connecting") state = "given-up";
      socket.destroy();
    };
  }

  close(): void {
    this.#connector?.close();
  }
}
