// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type Router from "@koa/router";
import { decodeProxyConfigQuery, PROXY_CONFIG_PATH } from "../../../api/pilot-http.ts";
import type { ProxyConfig } from "../../../core/traffic/model.ts";
import { PurserError } from "../../../kernel/errors.ts";
import { holdRequest, type LongPolls } from "../../../server/http/long-polls.ts";
import type { Pilot } from "../../pilot.ts";

export interface ProxyConfigRoute {
  readonly pilot: Pilot;
  readonly polls: LongPolls;
  readonly isDraining: () => boolean;
}

/** The long poll by which proxies learn their configuration. */
export function addProxyConfigRoute(router: Router, { pilot, polls, isDraining }: ProxyConfigRoute): void {
  const bodies = new WeakMap<ProxyConfig, string>();
  router.get(PROXY_CONFIG_PATH, async (context) => {
    const { node, version, waitMs } = decodeProxyConfigQuery(context.query);
    if (isDraining()) throw new PurserError("PURSER_DRAINING", "pilot is shutting down");
    const config = await holdRequest<ProxyConfig>(polls, context, {
      watch: (listener) => pilot.watch(node, listener),
      isNews: (news) => news.version !== version,
      waitMs,
    });
    if (config !== undefined) {
      // Proxies that are alike share a configuration, and so its text.
      const body = bodies.get(config) ?? JSON.stringify(config);
      bodies.set(config, body);
      context.type = "application/json";
      context.body = body;
    } else if (pilot.current === undefined) {
      throw new PurserError("PURSER_PILOT_UNAVAILABLE", "pilot has no configuration yet");
    } else {
      context.status = 304;
    }
  });
}
