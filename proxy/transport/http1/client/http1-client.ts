// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ClientSettings } from "../../contract/client.ts";
import { PooledClient } from "../../pooled-client.ts";
import { TlsConnector } from "../../tls/client/tls-connector.ts";
import { ConnectionPool } from "./connection-pool.ts";
import { RequestStream } from "./request-stream.ts";
import { UpstreamConnection } from "./upstream-connection.ts";

/** HTTP/1.1 to one upstream address, by a pool of connections of its own. */
export class Http1Client extends PooledClient<RequestStream> {
  constructor(settings: ClientSettings) {
    const { tls } = settings;
    const connector = tls === undefined ? undefined : new TlsConnector(tls, settings, "http/1.1");
    const pool = new ConnectionPool<RequestStream>(
      settings,
      (owner) => new UpstreamConnection(settings, connector, owner),
    );
    super(pool, connector, (head, receiver, body) => new RequestStream(head, receiver, body, pool));
  }
}
