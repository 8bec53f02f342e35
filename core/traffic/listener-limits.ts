// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ListenerLimits } from "./resources/listener.ts";

/** The limits of a listener for which the documents set none. */
export const DEFAULT_LISTENER_LIMITS: ListenerLimits = {
  maxConnections: 10_000,
  maxHeaderBytes: 60 * 1024,
  headersTimeoutMs: 10_000,
  handshakeTimeoutMs: 10_000,
  maxHandshakes: 1_000,
  requestTimeoutMs: 0,
  connectionIdleMs: 3_600_000,
  streamIdleMs: 300_000,
  drainGraceMs: 1_000,
  memoryLimitBytes: 0,
};
