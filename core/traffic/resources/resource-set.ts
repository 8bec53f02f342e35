// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Cluster } from "./cluster.ts";
import type { Listener } from "./listener.ts";
import type { RouteTable } from "./route.ts";

/**
 * What a proxy runs on: listeners lead to route tables, routes to clusters, clusters to endpoints. The words and the
 * division are Envoy's, so that the same model can be sent to real Envoys; every default is filled in by pilot, so that
 * a proxy never guesses. Plain data: it travels as JSON.
 */
export interface ProxyConfig {
  /** Changes whenever anything below does. */
  readonly version: string;
  readonly listeners: readonly Listener[];
  readonly routeTables: readonly RouteTable[];
  readonly clusters: readonly Cluster[];
}
