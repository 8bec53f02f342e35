// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { connect } from "node:net";

import type { CheckOutcome } from "../../../core/traffic/health/active-health.ts";
import type { Cancel } from "../../../kernel/ports.ts";
import type { ClientSettings } from "../contract/client.ts";
import type { Probe } from "./probe.ts";

/** Checks by opening a connection, which is closed at once. */
export class TcpProbe implements Probe {
  readonly #address: { readonly host: string; readonly port: number };

  constructor({ host, port }: Pick<ClientSettings, "host" | "port">) {
    this.#address = { host, port };
  }

  check(onDone: (outcome: CheckOutcome) => void): Cancel {
    const socket = connect(this.#address);
    let isOver = false;
    const end = (outcome?: CheckOutcome): void => {
      if (isOver) return;
      isOver = true;
      socket.destroy();
      if (outcome !== undefined) onDone(outcome);
    };
    socket.on("connect", () => end("success"));
    // Also after the end: an error without a listener would end the process.
    socket.on("error", () => end("network_failure"));
    return () => end();
  }

  close(): void {}
}
