// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { selects } from "../../traffic/labels.ts";
import type { StringMatchSpec } from "./traffic-fields.ts";
import type { HttpMatchSpec } from "./virtual-service-match.ts";
import type { HttpRouteSpec } from "./virtual-service-schema.ts";

// Delegation as in Istio: a route of a VirtualService hands its requests to the routes of another one, the delegate,
// whose matches may only narrow the route's own.

/**
 * A delegate's route within the route that delegates to it; undefined when one of its matches is no narrower than any
 * match of the root's. Fields that the delegate's route lacks are the root's; those of forwarding only if it forwards.
 */
export function mergeRoutes(root: HttpRouteSpec, leaf: HttpRouteSpec): HttpRouteSpec | undefined {
  const match = mergeMatches(root.match ?? [], leaf.match ?? []);
  if (match === undefined) return undefined;
  const { rewrite, timeout, retries, mirror, mirrorPercentage, mirrors, purser } = root;
  const mirroring = (leaf.mirror ?? leaf.mirrors) === undefined ? { mirror, mirrorPercentage, mirrors } : {};
  return withoutUndefined<HttpRouteSpec>({
    fault: root.fault,
    headers: root.headers,
    corsPolicy: root.corsPolicy,
    ...(leaf.route === undefined ? {} : { rewrite, timeout, retries, purser, ...mirroring }),
    ...leaf,
    name: joinNames(root.name, leaf.name),
    match: match.length === 0 ? undefined : match,
  });
}

/** Each match of the delegate within each match of the root that it narrows. An empty list matches everything. */
function mergeMatches(
  roots: readonly HttpMatchSpec[],
  leaves: readonly HttpMatchSpec[],
): HttpMatchSpec[] | undefined {
  if (roots.length === 0) return [...leaves];
  if (leaves.length === 0) return [...roots];
  const merged: HttpMatchSpec[] = [];
  for (const leaf of leaves) {
    const wider = roots.filter((root) => narrows(root, leaf));
    if (wider.length === 0) return undefined;
    merged.push(...wider.map((root) => mergeMatch(root, leaf)));
  }
  return merged;
}

function mergeMatch(root: HttpMatchSpec, leaf: HttpMatchSpec): HttpMatchSpec {
  return withoutUndefined<HttpMatchSpec>({
    ...root,
    ...leaf,
    name: joinNames(root.name, leaf.name),
    headers: mergeMaps(root.headers, leaf.headers),
    withoutHeaders: mergeMaps(root.withoutHeaders, leaf.withoutHeaders),
    queryParams: mergeMaps(root.queryParams, leaf.queryParams),
    sourceLabels: mergeMaps(root.sourceLabels, leaf.sourceLabels),
  });
}

/** Whether the delegate's match, merged with the root's, can match no request that the root's does not. */
function narrows(root: HttpMatchSpec, leaf: HttpMatchSpec): boolean {
  return (
    (["uri", "scheme", "method", "authority"] as const).every((field) =>
      textNarrows(root[field], leaf[field]),
    ) &&
    (["headers", "queryParams"] as const).every((field) =>
      Object.entries(leaf[field] ?? {}).every(([name, match]) => textNarrows(root[field]?.[name], match)),
    ) &&
    // The other way round: a match that refuses fewer values holds for more requests. Istio does not tell them apart.
    Object.entries(leaf.withoutHeaders ?? {}).every(([name, match]) =>
      textNarrows(match, root.withoutHeaders?.[name]),
    ) &&
    (root.ignoreUriCase ?? false) === (leaf.ignoreUriCase ?? false) &&
    (root.port === undefined || leaf.port === undefined || root.port === leaf.port) &&
    (root.sourceNamespace === undefined ||
      leaf.sourceNamespace === undefined ||
      root.sourceNamespace === leaf.sourceNamespace) &&
    selects(root.sourceLabels ?? {}, { ...root.sourceLabels, ...leaf.sourceLabels }) &&
    (leaf.gateways ?? []).every((name) => root.gateways?.includes(name) ?? true)
  );
}

/** Istio compares no regular expressions: a delegate may add one, but not narrow one. */
function textNarrows(root: StringMatchSpec | undefined, leaf: StringMatchSpec | undefined): boolean {
  if (root === undefined || leaf === undefined) return true;
  if (root.exact !== undefined) return leaf.exact === root.exact;
  if (root.prefix === undefined) return false;
  return (leaf.exact ?? leaf.prefix)?.startsWith(root.prefix) ?? false;
}

function joinNames(root: string | undefined, leaf: string | undefined): string | undefined {
  return root !== undefined && leaf !== undefined ? `${root}-${leaf}` : (leaf ?? root);
}

function mergeMaps<T>(
  root: Readonly<Record<string, T>> | undefined,
  leaf: Readonly<Record<string, T>> | undefined,
): Record<string, T> | undefined {
  return root === undefined && leaf === undefined ? undefined : { ...root, ...leaf };
}

type Optionals<T> = { [K in keyof T]?: T[K] | undefined };

function withoutUndefined<T extends object>(value: Optionals<T>): T {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as T;
}
