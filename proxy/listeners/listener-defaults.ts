// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ServerLimits } from "../transport/contract/server.ts";

export const DEFAULT_LIMITS: ServerLimits = {
  maxConnections: 10_000,
  maxHeaderBytes: 60 * 1024,
  headersTimeoutMs: 10_000,
  connectionIdleMs: 3_600_000,
  streamIdleMs: 300_000,
  requestTimeoutMs: 0,
  drainGraceMs: 1_000,
  memoryLimitBytes: 0,
};

/** Istio's proxies accept WebSocket upgrades alone. */
export const DEFAULT_UPGRADES: readonly string[] = ["websocket"];
