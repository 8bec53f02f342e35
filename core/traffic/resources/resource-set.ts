// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Cluster } from "./cluster.ts";
import type { ClusterLoadAssignment } from "./endpoint.ts";
import type { Listener } from "./listener.ts";
import type { RouteTable } from "./route.ts";

/**
 * All resources of one type that a proxy has, under one version. The version is derived from the content: it differs when the
 * content differs, and is the same on every pilot that has the same documents.
 */
export interface ResourceSet<R extends { readonly name: string }> {
  readonly version: string;
  /** No two have the same name. */
  readonly resources: readonly R[];
}

/**
 * Everything that a proxy runs on. Listeners lead to route tables, routes to clusters; a cluster's endpoints are a resource of
 * their own with the cluster's name. The types and their words are Envoy's (LDS, RDS, CDS, EDS), so that the same resources
 * can be sent to real Envoys. Pilot fills in every default: a proxy never guesses. Plain data, which travels as JSON.
 */
export interface TrafficResources {
  readonly clusters: ResourceSet<Cluster>;
  readonly endpoints: ResourceSet<ClusterLoadAssignment>;
  readonly listeners: ResourceSet<Listener>;
  readonly routes: ResourceSet<RouteTable>;
}

export type ResourceType = keyof TrafficResources;

/** In the order that Envoy applies them ("make before break"): a route comes after the cluster that it names. */
export const RESOURCE_TYPES = [
  "clusters",
  "endpoints",
  "listeners",
  "routes",
] as const satisfies ResourceType[];

/** Whole sets of some types. Each replaces the set of its type; a type without a set in the update stays as it is. */
export type TrafficUpdate = Partial<TrafficResources>;

/** The types that a watcher watches, each with the version that the watcher has; an empty text for none yet. */
export type KnownVersions = Readonly<Partial<Record<ResourceType, string>>>;

/** A watcher of every type that has no set yet. */
export const NOTHING_KNOWN = {
  clusters: "",
  endpoints: "",
  listeners: "",
  routes: "",
} as const satisfies KnownVersions;

/** The sets of the watched types whose version is another than the known one; undefined when there is none. */
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

/** Whether every type has a set: a proxy starts only then. */
export function isComplete(held: TrafficUpdate): held is TrafficResources {
  return RESOURCE_TYPES.every((type) => held[type] !== undefined);
}

/** Whether two resources have the same content. */
export function isSameResource<R extends { readonly name: string }>(a: R, b: R): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
