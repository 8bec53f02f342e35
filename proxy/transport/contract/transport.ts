// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ClientSettings, TransportClient } from "./client.ts";
import type { RawDialer } from "./raw.ts";
import type { ServerHandler, ServerSettings, TransportServer } from "./server.ts";

/**
 * Carries requests and responses, to clients and to upstreams. The pipeline, the filters and the forwarding
 * depend on this contract alone. Each codec has a folder beside it, and can be replaced.
 */
export interface Transport {
  /** Name in test titles. */
  readonly name: string;
  createServer(settings: ServerSettings, handler: ServerHandler): TransportServer;
  createClient(settings: ClientSettings): TransportClient;
  /** For connections whose bytes are forwarded as they are. */
  createDialer(settings: ClientSettings): RawDialer;
}
