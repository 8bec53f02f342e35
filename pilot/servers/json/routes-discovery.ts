// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { decodeDiscoveryRequest } from "../../../api/json/discovery.ts";
import { POLL_PROXY_CONFIG } from "../../../api/json/operations/pilot-operations.ts";
import { RESOURCE_TYPES, type TrafficUpdate } from "../../../core/traffic/resources/resource-set.ts";
import { PurserError } from "../../../kernel/errors.ts";
import { holdRequest, type LongPolls } from "../../../server/http/long-polls.ts";
import type { SurfaceRouter } from "../../../server/http/surface-router.ts";
import type { Pilot } from "../../pilot.ts";

export interface DiscoveryRoute {
  readonly pilot: Pilot;
  readonly polls: LongPolls;
  readonly isDraining: () => boolean;
}

/** The long poll that brings proxies their traffic resources. */
export function addDiscoveryRoute(router: SurfaceRouter, { pilot, polls, isDraining }: DiscoveryRoute): void {
  const texts = new WeakMap<object, string>();
  router.serve(POLL_PROXY_CONFIG, async (context) => {
    const { node, known, waitMs } = decodeDiscoveryRequest(context.query);
    if (isDraining()) throw new PurserError("PURSER_DRAINING", "pilot is shutting down");
    const update = await holdRequest<TrafficUpdate>(polls, context, {
      watch: (listener) => pilot.watch({ node, known }, listener),
      // Pilot calls the listener only when a type has changed.
      isNews: () => true,
      waitMs,
    });
    if (update !== undefined) {
      context.type = "application/json";
      context.body = jsonOf(update, texts);
    } else if (pilot.current === undefined) {
      throw new PurserError("PURSER_PILOT_UNAVAILABLE", "pilot has no configuration yet");
    } else {
      context.status = 304;
    }
  });
}

/**
 * The update as JSON. Proxies of one kind share their resource sets, so the JSON text of each set is cached
 * in `texts`.
 */
function jsonOf(update: TrafficUpdate, texts: WeakMap<object, string>): string {
  const fields = RESOURCE_TYPES.flatMap((type) => {
    const set = update[type];
    if (set === undefined) return [];
    const text = texts.get(set) ?? JSON.stringify(set);
    texts.set(set, text);
    return [`${JSON.stringify(type)}:${text}`];
  });
  return `{${fields.join(",")}}`;
}
