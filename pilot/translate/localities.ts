// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { LocalityLbSettingSpec } from "../../core/documents/kinds/load-balancer.ts";
import { LOCALITY_LABELS, localityCovers, localityParts } from "../../core/traffic/locality.ts";
import type { ClusterLoadAssignment, Endpoint } from "../../core/traffic/resources/endpoint.ts";

type Placed = Pick<ClusterLoadAssignment, "endpoints" | "localityWeights">;

/**
 * The endpoints with the priorities, or the localities' weights, that they have for a proxy: Istio's rules
 * (pilot/pkg/networking/core/loadbalancer). Without a setting, all endpoints are alike.
 *
 * @param proxyLocality Empty when unknown: then only `failoverPriority` has an effect.
 */
export function localized(
  endpoints: readonly Endpoint[],
  proxyLocality: string,
  setting: LocalityLbSettingSpec | undefined,
): Placed {
  if (setting === undefined || setting.enabled === false) return { endpoints };
  const { distribute, failover = [], failoverPriority } = setting;
  if (failoverPriority !== undefined)
    return prioritized(endpoints, (endpoint) => mismatchRank(failoverPriority, proxyLocality, endpoint));
  if (proxyLocality === "") return { endpoints };
  if (distribute !== undefined) {
    const rule = distribute.find(({ from }) => localityCovers(from, proxyLocality));
    return rule === undefined ? { endpoints } : distributed(endpoints, rule.to);
  }
  const next = failover.find(({ from }) => from === localityParts(proxyLocality)[0])?.to;
  return prioritized(endpoints, ({ locality = "" }) => distance(proxyLocality, locality, next));
}

/**
 * The localities that the shares name, with their weights. The share of a pattern that covers several
 * localities is divided by the weights of their endpoints; Istio rounds the parts up to whole percents.
 */
function distributed(endpoints: readonly Endpoint[], to: Readonly<Record<string, number>>): Placed {
  const weights = new Map<string, number>();
  for (const [pattern, share] of Object.entries(to)) {
    const covered = endpoints.filter(({ locality = "" }) => localityCovers(pattern, locality));
    const sum = covered.reduce((total, { weight }) => total + weight, 0);
    for (const { locality = "", weight } of covered)
      weights.set(locality, (weights.get(locality) ?? 0) + (share * weight) / sum);
  }
  const named = endpoints.filter(({ locality = "" }) => weights.has(locality));
  return { endpoints: named, localityWeights: Object.fromEntries(weights) };
}

/**
 * Istio's ranks: 0 for the same subzone, 1 for the same zone, 2 for the same region, 3 for another region, and
 * 4 for one that is not the region to fail over to.
 */
function distance(proxyLocality: string, locality: string, nextRegion: string | undefined): number {
  const own = localityParts(proxyLocality);
  const parts = localityParts(locality);
  const equal = [0, 1, 2].findIndex((part) => own[part] !== parts[part]);
  if (equal !== 0) return equal === -1 ? 0 : 3 - equal;
  return nextRegion === undefined || nextRegion === parts[0] ? 3 : 4;
}

/** Number of labels from the first that differs on, 0 when all are equal. */
function mismatchRank(labels: readonly string[], proxyLocality: string, endpoint: Endpoint): number {
  const first = labels.findIndex((label) => {
    const equals = label.indexOf("=");
    const key = equals < 0 ? label : label.slice(0, equals);
    const wanted = equals < 0 ? localityLabel(key, proxyLocality) : label.slice(equals + 1);
    const given = endpoint.labels[key] ?? localityLabel(key, endpoint.locality ?? "");
    return wanted !== given;
  });
  return first === -1 ? 0 : labels.length - first;
}

/** The part of a locality that a topology label names; undefined when there is none. */
function localityLabel(key: string, locality: string): string | undefined {
  const part = LOCALITY_LABELS.findIndex((label) => label === key);
  return localityParts(locality)[part];
}

/** Priorities without gaps, by the endpoints' ranks. One priority is not written. */
function prioritized(endpoints: readonly Endpoint[], rankOf: (endpoint: Endpoint) => number): Placed {
  const ranks = [...new Set(endpoints.map(rankOf))].toSorted((a, b) => a - b);
  if (ranks.length < 2) return { endpoints };
  return {
    endpoints: endpoints.map((endpoint) => ({ ...endpoint, priority: ranks.indexOf(rankOf(endpoint)) })),
  };
}
