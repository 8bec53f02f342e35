// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { HashSourceSpec } from "../../core/documents/kinds/load-balancer-faults.ts";
import type { LoadBalancerSpec } from "../../core/documents/kinds/load-balancer.ts";
import type { HashSource, LoadBalancer, SlowStart } from "../../core/traffic/resources/load-balancer.ts";
import { parseDurationMs } from "../../kernel/duration.ts";

/** Envoy's and Istio's defaults. */
const DEFAULT_RING_SIZE = 1024;
const DEFAULT_MAGLEV_TABLE_SIZE = 65_537;
const DEFAULT_SLOW_START_MINIMUM_PERCENT = 10;
const DEFAULT_SLOW_START_AGGRESSION = 1;

/** The policy of a DestinationRule. Istio's default is least request, and ring hash for consistent hashing. */
export function loadBalancerOf(spec: LoadBalancerSpec | undefined): LoadBalancer {
  const hash = spec?.consistentHash;
  if (hash !== undefined) {
    const hashOn = hashSourceOf(hash);
    if (hash.maglev !== undefined)
      return { kind: "maglev", hashOn, tableSize: hash.maglev.tableSize ?? DEFAULT_MAGLEV_TABLE_SIZE };
    const minimumRingSize = hash.ringHash?.minimumRingSize ?? hash.minimumRingSize ?? DEFAULT_RING_SIZE;
    return { kind: "ring-hash", hashOn, minimumRingSize };
  }
  if (spec?.simple === "RANDOM") return { kind: "random" };
  const kind = spec?.simple === "ROUND_ROBIN" ? "round-robin" : "least-request";
  const slowStart = slowStartOf(spec);
  return slowStart === undefined ? { kind } : { kind, slowStart };
}

/** The document's checks leave exactly one source. */
export function hashSourceOf(hash: HashSourceSpec): HashSource {
  const { httpHeaderName, httpCookie, httpQueryParameterName } = hash;
  if (httpHeaderName !== undefined) return { kind: "header", name: httpHeaderName.toLowerCase() };
  if (httpQueryParameterName !== undefined) return { kind: "query", name: httpQueryParameterName };
  if (httpCookie === undefined) return { kind: "source-ip" };
  const { name, path, ttl, attributes = [] } = httpCookie;
  return {
    kind: "cookie",
    name,
    ...(path === undefined ? {} : { path }),
    ...(ttl === undefined ? {} : { ttlSeconds: Math.ceil((parseDurationMs(ttl) ?? 0) / 1000) }),
    attributes,
  };
}

function slowStartOf(spec: LoadBalancerSpec | undefined): SlowStart | undefined {
  const windowMs = parseDurationMs(spec?.warmup?.duration ?? spec?.warmupDurationSecs ?? "");
  if (windowMs === undefined) return undefined;
  return {
    windowMs,
    aggression: spec?.warmup?.aggression ?? DEFAULT_SLOW_START_AGGRESSION,
    minimumPercent: spec?.warmup?.minimumPercent ?? DEFAULT_SLOW_START_MINIMUM_PERCENT,
  };
}
