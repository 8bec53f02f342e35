// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { selects } from "../../traffic/labels.ts";
import type { StringMatchSpec } from "./traffic-fields.ts";
import { AUTHORITY_HEADER } from "../../traffic/route-match.ts";
import { type HttpMatchSpec, SCHEME_HEADER } from "./virtual-service-match.ts";
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
  const lowered = roots.map(withLowerNames);
  for (const leaf of leaves.map(withLowerNames)) {
    const wider = lowered.filter((root) => narrows(root, leaf));
    if (wider.length === 0) return undefined;
    merged.push(...wider.map((root) => mergeMatch(root, leaf)));
  }
  return merged;
}

/** The match with the names of headers in lower case: a condition must not hide from another one behind a capital. */
function withLowerNames(match: HttpMatchSpec): HttpMatchSpec {
  const { headers, withoutHeaders } = match;
  return withoutUndefined<HttpMatchSpec>({
    ...match,
    headers: headers && lowerNames(headers),
    withoutHeaders: withoutHeaders && lowerNames(withoutHeaders),
  });
}

function lowerNames<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name.toLowerCase(), value]));
}

/** Fields whose condition may be written as one on a header too. */
const HEADERS_OF_FIELDS = { scheme: SCHEME_HEADER, authority: AUTHORITY_HEADER } as const;

/** Whether one match has a condition as a field, and the other one has it as a header: only one of them would count. */
function collides(a: HttpMatchSpec, b: HttpMatchSpec): boolean {
  return (["scheme", "authority"] as const).some(
    (field) => a[field] !== undefined && b.headers?.[HEADERS_OF_FIELDS[field]] !== undefined,
  );
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
    !collides(root, leaf) &&
    !collides(leaf, root) &&
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
