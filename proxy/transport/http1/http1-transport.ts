// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Transport } from "../contract/transport.ts";
import { Http1Client } from "./client/http1-client.ts";
import { Http1Server } from "./server/http1-server.ts";

/** HTTP/1.1 on sockets, towards clients and upstreams. */
export const HTTP1_TRANSPORT: Transport = {
  name: "http/1.1",
  createServer: (settings, handler) => new Http1Server(settings, handler),
  createClient: (settings) => new Http1Client(settings),
};
