// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { parseArgs } from "node:util";
import { catalog } from "./catalog.ts";
import { ratings } from "./ratings.ts";
import { reviews } from "./reviews.ts";
import { type Answerer, startService } from "./service.ts";
import { storefront } from "./storefront.ts";

// Runs one of the bookshop's services, or all of them in one process as the loopback demo does.

/**
 * Port of each service on loopback, and the sidecar for its outbound calls; see mesh/services.yaml and
 * start.ts.
 */
const SERVICES: Readonly<
  Record<string, { readonly answer: Answerer; readonly port: number; readonly mesh: string }>
> = {
  storefront: { answer: storefront, port: 9080, mesh: "http://127.0.0.1:15001" },
  catalog: { answer: catalog, port: 9081, mesh: "http://127.0.0.1:15001" },
  "reviews-v1": { answer: reviews("v1"), port: 9083, mesh: "http://127.0.0.1:15002" },
  "reviews-v2": { answer: reviews("v2"), port: 9084, mesh: "http://127.0.0.1:15003" },
  "reviews-v3": { answer: reviews("v3"), port: 9085, mesh: "http://127.0.0.1:15004" },
  ratings: { answer: ratings, port: 9086, mesh: "http://127.0.0.1:15001" },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    host: { type: "string", default: "127.0.0.1" },
    port: { type: "string" },
    mesh: { type: "string" },
  },
});

const [wanted = "all"] = positionals;
const chosen = wanted === "all" ? Object.keys(SERVICES) : [wanted];
const servers: Server[] = [];
const stop = (): void => {
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
};
process.once("SIGINT", stop);
process.once("SIGTERM", stop);
// The demo started this process: stop when the demo is gone.
process.once("disconnect", stop);

try {
  for (const name of chosen) {
    const service = SERVICES[name];
    if (service === undefined)
      throw new Error(`no service ${name}; there are ${Object.keys(SERVICES).join(", ")}`);
    const port = values.port === undefined ? service.port : Number(values.port);
    const server = await startService(service.answer, {
      host: values.host,
      port,
      mesh: values.mesh ?? service.mesh,
    });
    servers.push(server);
    if (process.send === undefined) {
      process.stdout.write(`${name} listening on http://${values.host}:${(server.address() as AddressInfo).port}
`);
    }
  }
  process.send?.({ kind: "ready" });
} catch (error) {
  const { code, port } = error as { readonly code?: string; readonly port?: number };
  const message = code === "EADDRINUSE" ? `port ${port} is taken` : (error as Error).message;
  if (process.send === undefined) process.stderr.write(`bookshop: ${message}\n`);
  else process.send({ kind: "failed", message });
  process.exitCode = 2;
  stop();
  if (process.connected) process.disconnect();
}
