// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Cluster } from "./cluster.ts";
import type { ClusterLoadAssignment } from "./endpoint.ts";
import type { Listener } from "./listener.ts";
import type { RouteTable } from "./route.ts";

/**
 * All resources of one type of a proxy, with one version. The version is a digest of the content: it is the
 * same on every pilot with the same documents.
 */
export interface ResourceSet<R extends { readonly name: string }> {
  readonly version: string;
  /** Names are unique. */
  readonly resources: readonly R[];
}

/**
 * The complete configuration of a proxy. Listeners refer to route tables, routes to clusters; a cluster's
 * endpoints are a separate resource with the cluster's name. Types and terms are Envoy's (LDS, RDS, CDS,
 * EDS), so that the same resources can be sent to Envoy. Pilot fills in every default. Plain data, sent as
 * JSON.
 */
export interface TrafficResources {
  readonly clusters: ResourceSet<Cluster>;
  readonly endpoints: ResourceSet<ClusterLoadAssignment>;
  readonly listeners: ResourceSet<Listener>;
  readonly routes: ResourceSet<RouteTable>;
}

export type ResourceType = keyof TrafficResources;

/** In the order in which Envoy applies them ("make before break"): a route comes after its cluster. */
export const RESOURCE_TYPES = [
  "clusters",
  "endpoints",
  "listeners",
  "routes",
] as const satisfies ResourceType[];

/** Complete sets of some types. Each replaces the set of its type; other types are unchanged. */
export type TrafficUpdate = Partial<TrafficResources>;

/** The watched types, each with the watcher's version; an empty text for none yet. */
export type KnownVersions = Readonly<Partial<Record<ResourceType, string>>>;

/** Known versions of a watcher of every type that has no set yet. */
export const NOTHING_KNOWN = {
  clusters: "",
  endpoints: "",
  listeners: "",
  routes: "",
} as const satisfies KnownVersions;

/** The sets of watched types whose version differs from the known one; undefined when there is none. */
export function changedSets(resources: TrafficUpdate, known: KnownVersions): TrafficUpdate | undefined {
  const changed = RESOURCE_TYPES.filter((type) => {
    const set = resources[type];
    return set !== undefined && known[type] !== undefined && known[type] !== set.version;
  });
  if (changed.length === 0) return undefined;
  return Object.fromEntries(changed.map((type) => [type, resources[type]]));
}

/** The known versions after an update. Types that are not watched stay unwatched. */
export function knownAfter(known: KnownVersions, update: TrafficUpdate): KnownVersions {
  const versions: Partial<Record<ResourceType, string>> = { ...known };
  for (const type of RESOURCE_TYPES) {
    if (known[type] !== undefined) versions[type] = update[type]?.version ?? known[type];
  }
  return versions;
}

/** Whether every type has a set, which a proxy needs to start. */
export function isComplete(held: TrafficUpdate): held is TrafficResources {
  return RESOURCE_TYPES.every((type) => held[type] !== undefined);
}

/** Whether two resources have the same content. */
export function isSameResource<R extends { readonly name: string }>(a: R, b: R): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
