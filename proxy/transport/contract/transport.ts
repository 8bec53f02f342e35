// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ClientSettings, TransportClient } from "./client.ts";
import type { ServerHandler, ServerSettings, TransportServer } from "./server.ts";

/**
 * Carries requests and responses, towards clients and towards upstreams. The pipeline, the filters and the forwarding know
 * this contract alone. A codec stands in a folder beside it, and can be replaced.
 */
export interface Transport {
  /** For the names of tests. */
  readonly name: string;
  createServer(settings: ServerSettings, handler: ServerHandler): TransportServer;
  createClient(settings: ClientSettings): TransportClient;
}
