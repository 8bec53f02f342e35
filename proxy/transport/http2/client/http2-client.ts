// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ClientSettings } from "../../contract/client.ts";
import { PooledClient } from "../../pooled-client.ts";
import { TlsConnector } from "../../tls/client/tls-connector.ts";
import { Http2Request } from "./http2-request.ts";
import { SessionPool } from "./session-pool.ts";
import { UpstreamSession } from "./upstream-session.ts";

/** HTTP/2, with prior knowledge or over TLS, to one upstream address, by a pool of connections of its own. */
export class Http2Client extends PooledClient<Http2Request> {
  constructor(settings: ClientSettings) {
    const { tls } = settings;
    const connector = tls === undefined ? undefined : new TlsConnector(tls, settings, "h2");
    const pool = new SessionPool<Http2Request>(
      settings,
      (owner) => new UpstreamSession(settings, connector, owner),
    );
    // The connection's own scheme: a server may refuse another one.
    const scheme = tls === undefined ? "http" : "https";
    super(pool, connector, (head, receiver, body) => new Http2Request(head, receiver, body, pool, scheme));
  }
}
