// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { defineAdapter } from "../../plugins/sdk/index.ts";
import { CONFIG, faultsOf } from "./config.ts";
import { linesOf } from "./lines.ts";
import { packetsOf } from "./packets.ts";
import type { Sender } from "./sender.ts";
import { styleOf } from "./style.ts";

/** Sends metrics to a StatsD server or a Datadog Agent. */
export const statsd = defineAdapter({
  name: "statsd",
  description: "Sends metrics to a StatsD server or a Datadog Agent, over UDP or TCP.",
  templates: ["metric"],
  config: CONFIG,
  check: faultsOf,
  build({ config, clock }) {
    const { host, port, transport, maxPacketBytes } = config;
    const style = styleOf(config);
    let sender: Promise<Sender> | undefined;
    let closed = false;
    let healthy = true;
    const load = async (): Promise<Sender> => {
      const made =
        transport === "udp"
          ? new (await import("./udp-sender.ts")).UdpSender(host, port, clock)
          : new (await import("./tcp-sender.ts")).TcpSender(host, port);
      if (closed) made.close();
      return made;
    };
    return {
      async metric(batch, { signal }) {
        const { lines, refused } = linesOf(batch, style, maxPacketBytes);
        const { packets, refused: oversized } = packetsOf(lines, maxPacketBytes);
        try {
          const unsent = await (await (sender ??= load())).send(packets, batch, signal);
          healthy = unsent.length === 0;
          return { refused: [...refused, ...oversized, ...unsent] };
        } catch (error) {
          healthy = false;
          throw error;
        }
      },
      healthy: () => healthy,
      async close() {
        closed = true;
        (await sender)?.close();
      },
    };
  },
});
