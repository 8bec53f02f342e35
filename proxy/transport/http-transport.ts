// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Transport } from "./contract/transport.ts";
import { Http1Client } from "./http1/client/http1-client.ts";
import { Http1Server } from "./http1/server/http1-server.ts";
import { Http2Client } from "./http2/client/http2-client.ts";
import { SocketDialer } from "./raw/socket-dialer.ts";
import { Http2Connection } from "./http2/server/http2-connection.ts";

/** HTTP/1.1 and HTTP/2: on the same listeners, as the client begins; to upstreams, as the cluster says. */
export const HTTP_TRANSPORT: Transport = {
  name: "http",
  createServer: (settings, handler) =>
    new Http1Server(
      settings,
      handler,
      undefined,
      (socket, facts, server, first, secure) => new Http2Connection(socket, facts, server, first, secure),
    ),
  createClient: (settings) =>
    settings.protocol === "http2" ? new Http2Client(settings) : new Http1Client(settings),
  createDialer: (settings) => new SocketDialer(settings),
};
