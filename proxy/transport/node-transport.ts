// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Transport } from "./contract/transport.ts";
import { NodeHttpServer } from "./node-http/node-http-server.ts";
import { UndiciClient } from "./undici/undici-client.ts";

/** HTTP/1.1 by node:http towards clients and undici towards upstreams. */
export const NODE_TRANSPORT: Transport = {
  name: "node:http and undici",
  createServer: (settings, handler) => new NodeHttpServer(settings, handler),
  createClient: (settings) => new UndiciClient(settings),
};
