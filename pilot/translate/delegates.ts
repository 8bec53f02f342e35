// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { displayName } from "../../core/documents/kinds/kind.ts";
import { mergeRoutes } from "../../core/documents/kinds/virtual-service-delegate.ts";
import type { HttpRouteSpec, VirtualServiceSpec } from "../../core/documents/kinds/virtual-service-schema.ts";
import type { TrafficDocument } from "../../core/snapshot/snapshot.ts";
import { canonicalHost } from "../../core/traffic/host-name.ts";

type VirtualService = TrafficDocument<VirtualServiceSpec>;

/**
 * The VirtualServices that have hosts, with the routes of their delegates in place of the routes that delegate.
 * Documents are checked before: a delegate that is missing or does not fit has no routes.
 */
export function resolveDelegates(virtualServices: readonly VirtualService[]): readonly VirtualService[] {
  const roots = virtualServices.filter(({ spec }) => spec.hosts !== undefined);
  if (roots.every(({ spec }) => (spec.http ?? []).every(({ delegate }) => delegate === undefined)))
    return roots;
  const delegates = new Map(
    virtualServices.flatMap((document) =>
      document.spec.hosts === undefined
        ? [[`${document.metadata.namespace}/${document.metadata.name}`, document] as const]
        : [],
    ),
  );
  return roots.map((root) => {
    const http = root.spec.http?.flatMap((route, index) => {
      if (route.delegate === undefined)
        return [{ ...route, name: route.name ?? `${displayName(root.metadata)}.${index}` }];
      const { name, namespace = root.metadata.namespace } = route.delegate;
      const delegate = delegates.get(`${namespace}/${name}`);
      return delegate === undefined ? [] : delegatedRoutes(route, delegate);
    });
    return { ...root, spec: http === undefined ? root.spec : { ...root.spec, http } };
  });
}

function delegatedRoutes(root: HttpRouteSpec, { metadata, spec }: VirtualService): readonly HttpRouteSpec[] {
  return (spec.http ?? []).flatMap((leaf, index) => {
    const merged = mergeRoutes(root, withCanonicalHosts(leaf, metadata.namespace));
    if (merged === undefined) return [];
    return [{ ...merged, name: merged.name ?? `${displayName(metadata)}.${index}` }];
  });
}

/** Short names of services are meant in the delegate's namespace, whatever the root's is. */
function withCanonicalHosts(route: HttpRouteSpec, namespace: string): HttpRouteSpec {
  const canonical = <T extends { readonly host: string }>(target: T): T => {
    return { ...target, host: canonicalHost(target.host, namespace) };
  };
  const { route: destinations, mirror, mirrors } = route;
  const withTarget = <T extends { readonly destination: { readonly host: string } }>(each: T): T => {
    return { ...each, destination: canonical(each.destination) };
  };
  return {
    ...route,
    ...(destinations === undefined ? {} : { route: destinations.map(withTarget) }),
    ...(mirror === undefined ? {} : { mirror: canonical(mirror) }),
    ...(mirrors === undefined ? {} : { mirrors: mirrors.map(withTarget) }),
  };
}
