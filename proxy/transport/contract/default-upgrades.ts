// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Istio's proxies accept WebSocket upgrades alone. */
export const DEFAULT_UPGRADES: readonly string[] = ["websocket"];
