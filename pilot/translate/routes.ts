// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { CorsPolicySpec } from "../../core/documents/kinds/cors-policy.ts";
import type { HeaderOperationsSpec, StringMatchSpec } from "../../core/documents/kinds/traffic-fields.ts";
import {
  type CallerMatch,
  type HttpMatchSpec,
  SCHEME_HEADER,
} from "../../core/documents/kinds/virtual-service-match.ts";
import type {
  HttpDestinationSpec,
  HttpRouteSpec,
  VirtualServiceSpec,
} from "../../core/documents/kinds/virtual-service-schema.ts";
import { displayName } from "../../core/documents/kinds/kind.ts";
import { selects } from "../../core/traffic/labels.ts";
import { parseDurationMs } from "../../kernel/duration.ts";
import type { TrafficDocument } from "../../core/snapshot/snapshot.ts";
import {
  type CorsPolicy,
  type HeaderMatch,
  NO_HEADER_OPERATIONS,
  type PathRewrite,
  type RetryPolicy,
  type Route,
  type RouteMirror,
  type RouteAction,
  type RouteHeaderOperations,
  type RouteMatch,
  type StringMatch,
} from "../../core/traffic/resources/route.ts";
import { DEFAULT_RETRY_POLICY, parseRetryOn } from "../../core/traffic/retry.ts";
import { AUTHORITY_HEADER } from "../../core/traffic/route-match.ts";
import type { ClusterCollector } from "./clusters.ts";
import { hashSourceOf } from "./load-balancer.ts";
import { qualifyGateway } from "./gateway-name.ts";
import { directResponseOf, faultOf, redirectOf } from "./route-replies.ts";
import type { Workload } from "./workload.ts";

/** The proxies for which routes are translated. */
export interface RouteScope {
  /** The workload whose proxies they are. */
  readonly workload: Workload;
  /** Names of the Gateways in scope, as `NAMESPACE/NAME`, or `mesh`. */
  readonly gateways: ReadonlySet<string>;
  /** The listener's port, if it has a fixed one. */
  readonly port: number | undefined;
}

/** The routes of one VirtualService, without those for other scopes. */
export function translateRoutes(
  { metadata, spec }: TrafficDocument<VirtualServiceSpec>,
  scope: RouteScope,
  clusters: ClusterCollector,
): readonly Route[] {
  return (spec.http ?? []).flatMap((http, index) => {
    const matches = http.match?.filter((match) => isInScope(match, metadata.namespace, scope));
    if (matches?.length === 0 && http.match?.length !== 0) return [];
    return [
      {
        name: http.name ?? `${displayName(metadata)}.${index}`,
        matches: (matches ?? []).map(matchOf),
        action: actionOf(http, metadata.namespace, scope, clusters),
        requestHeaders: headersOf(http.headers?.request),
        responseHeaders: headersOf(http.headers?.response),
        ...(http.fault === undefined ? {} : { fault: faultOf(http.fault) }),
        ...(http.corsPolicy === undefined ? {} : { cors: corsOf(http.corsPolicy) }),
      },
    ];
  });
}

/** A route that sends every request to one cluster. */
export function defaultRoute(cluster: string, retry: RetryPolicy): Route {
  return {
    name: "default",
    matches: [],
    action: {
      kind: "forward",
      destinations: [
        {
          cluster,
          weight: 1,
          requestHeaders: NO_HEADER_OPERATIONS,
          responseHeaders: NO_HEADER_OPERATIONS,
        },
      ],
      timeoutMs: 0,
      retry,
    },
    requestHeaders: NO_HEADER_OPERATIONS,
    responseHeaders: NO_HEADER_OPERATIONS,
  };
}

/**
 * The first route of a host whose requests all have to use https. As in Envoy, a request that came to a trusted proxy in
 * front by https goes on: the same redirect again would never end.
 */
export const HTTPS_REDIRECT: Route = {
  name: "https-redirect",
  matches: [
    {
      ignoreCase: false,
      headers: {},
      withoutHeaders: { [SCHEME_HEADER]: { kind: "exact", value: "https" } },
      queryParams: {},
    },
  ],
  action: { kind: "redirect", code: 301, scheme: "https" },
  requestHeaders: NO_HEADER_OPERATIONS,
  responseHeaders: NO_HEADER_OPERATIONS,
};

export function isInScope(
  match: CallerMatch & Pick<HttpMatchSpec, "port">,
  namespace: string,
  scope: RouteScope,
): boolean {
  return (
    (match.gateways === undefined ||
      match.gateways.some((name) => scope.gateways.has(qualifyGateway(name, namespace)))) &&
    (match.port === undefined || match.port === scope.port) &&
    (match.sourceNamespace === undefined || match.sourceNamespace === scope.workload.namespace) &&
    selects(match.sourceLabels ?? {}, scope.workload.labels)
  );
}

function matchOf(match: HttpMatchSpec): RouteMatch {
  const headers = mapValues(match.headers ?? {}, headerMatchOf, true);
  return {
    ...(match.uri === undefined ? {} : { path: stringMatchOf(match.uri) }),
    ignoreCase: match.ignoreUriCase ?? false,
    ...(match.method === undefined ? {} : { method: stringMatchOf(match.method) }),
    headers: {
      ...headers,
      ...(match.authority === undefined ? {} : { [AUTHORITY_HEADER]: stringMatchOf(match.authority) }),
      ...(match.scheme === undefined ? {} : { [SCHEME_HEADER]: stringMatchOf(match.scheme) }),
    },
    withoutHeaders: mapValues(match.withoutHeaders ?? {}, headerMatchOf, true),
    queryParams: mapValues(match.queryParams ?? {}, headerMatchOf, false),
  };
}

function headerMatchOf(match: StringMatchSpec): HeaderMatch {
  const none = match.exact === undefined && match.prefix === undefined && match.regex === undefined;
  return none ? { kind: "present" } : stringMatchOf(match);
}

/** The schema requires exactly one of the three fields. */
function stringMatchOf({ exact, prefix, regex }: StringMatchSpec): StringMatch {
  if (exact !== undefined) return { kind: "exact", value: exact };
  if (prefix !== undefined) return { kind: "prefix", value: prefix };
  return { kind: "regex", value: regex ?? "" };
}

function actionOf(
  http: HttpRouteSpec,
  namespace: string,
  scope: RouteScope,
  clusters: ClusterCollector,
): RouteAction {
  const { redirect, directResponse, purser: { splitBy } = {} } = http;
  if (redirect !== undefined) return redirectOf(redirect);
  if (directResponse !== undefined) return directResponseOf(directResponse);
  const rewrite = rewriteOf(http);
  const mirrors = mirrorsOf(http, namespace, scope, clusters);
  return {
    kind: "forward",
    destinations: destinationsOf(http, namespace, scope, clusters),
    ...(splitBy === undefined ? {} : { splitOn: hashSourceOf(splitBy) }),
    ...(rewrite === undefined ? {} : { rewrite }),
    timeoutMs: parseDurationMs(http.timeout ?? "") ?? 0,
    retry: retryOf(http),
    ...(mirrors.length === 0 ? {} : { mirrors }),
  };
}

/** Destinations, without those of weight 0, which get no requests. */
function destinationsOf(
  { route = [] }: HttpRouteSpec,
  namespace: string,
  scope: RouteScope,
  clusters: ClusterCollector,
) {
  return route
    .map(({ destination, weight = 0, headers }) => ({
      destination,
      weight: route.length === 1 ? Math.max(weight, 1) : weight,
      headers,
    }))
    .filter(({ weight }) => weight > 0)
    .map(({ destination, weight, headers }) => ({
      cluster: clusterOf(destination, namespace, scope, clusters),
      weight,
      requestHeaders: headersOf(headers?.request),
      responseHeaders: headersOf(headers?.response),
    }));
}

/** Mirrors, without those of 0 %. */
function mirrorsOf(
  { mirror, mirrorPercentage, mirrors = [] }: HttpRouteSpec,
  namespace: string,
  scope: RouteScope,
  clusters: ClusterCollector,
): readonly RouteMirror[] {
  const single = mirror === undefined ? [] : [{ destination: mirror, percentage: mirrorPercentage }];
  return [...single, ...mirrors]
    .map(({ destination, percentage }) => ({ destination, percentage: percentage?.value ?? 100 }))
    .filter(({ percentage }) => percentage > 0)
    .map(({ destination, percentage }) => ({
      cluster: clusterOf(destination, namespace, scope, clusters),
      percentage,
    }));
}

function clusterOf(
  { host, subset, port }: HttpDestinationSpec["destination"],
  namespace: string,
  scope: RouteScope,
  clusters: ClusterCollector,
): string {
  return clusters.use({ host, namespace, subset, port: port?.number }, scope.port);
}

function rewriteOf({ rewrite, match = [] }: HttpRouteSpec) {
  if (rewrite === undefined) return undefined;
  const prefixes =
    match.length === 0 || match.some(({ uri }) => uri === undefined || uri.prefix !== undefined);
  const { uri, uriRegexRewrite: regex } = rewrite;
  let path: PathRewrite | undefined;
  if (uri !== undefined) path = { kind: prefixes ? "prefix" : "whole", value: uri };
  else if (regex !== undefined) path = { kind: "regex", pattern: regex.match, substitution: regex.rewrite };
  return {
    ...(path === undefined ? {} : { path }),
    ...(rewrite.authority === undefined ? {} : { authority: rewrite.authority }),
  };
}

/** Envoy's default maximum: ten times the base. */
const BACKOFF_MAX_FACTOR = 10;

function retryOf({ retries, purser }: HttpRouteSpec): RetryPolicy {
  if (retries === undefined) return DEFAULT_RETRY_POLICY;
  const { on, onStatuses } =
    retries.retryOn === undefined ? DEFAULT_RETRY_POLICY : parseRetryOn(retries.retryOn);
  const backoffBaseMs = parseDurationMs(retries.backoff ?? "") ?? DEFAULT_RETRY_POLICY.backoffBaseMs;
  return {
    retries: retries.attempts,
    on,
    onStatuses,
    // Explicit conditions apply to every method; the default policy retries idempotent methods only.
    idempotentOnly: retries.retryOn === undefined,
    perTryTimeoutMs: parseDurationMs(retries.perTryTimeout ?? "") ?? 0,
    backoffBaseMs,
    backoffMaxMs: backoffBaseMs * BACKOFF_MAX_FACTOR,
    ...(retries.retryIgnorePreviousHosts === false ? { mayRepeatEndpoints: true } : {}),
    ...(purser?.hedgeOnPerTryTimeout === true ? { hedgeOnTryTimeout: true } : {}),
  };
}

function corsOf(policy: CorsPolicySpec): CorsPolicy {
  const maxAgeMs = parseDurationMs(policy.maxAge ?? "");
  return {
    allowOrigins: policy.allowOrigins.map(stringMatchOf),
    allowMethods: policy.allowMethods ?? [],
    allowHeaders: policy.allowHeaders ?? [],
    exposeHeaders: policy.exposeHeaders ?? [],
    ...(maxAgeMs === undefined ? {} : { maxAgeSeconds: Math.floor(maxAgeMs / 1_000) }),
    allowCredentials: policy.allowCredentials ?? false,
    forwardUnmatchedPreflights: policy.unmatchedPreflights !== "IGNORE",
  };
}

function headersOf(changes: HeaderOperationsSpec["request"]): RouteHeaderOperations {
  if (changes === undefined) return NO_HEADER_OPERATIONS;
  return {
    set: mapValues(changes.set ?? {}, (value) => value, true),
    add: mapValues(changes.add ?? {}, (value) => value, true),
    remove: (changes.remove ?? []).map((name) => name.toLowerCase()),
  };
}

function mapValues<T, U>(
  record: Readonly<Record<string, T>>,
  convert: (value: T) => U,
  lowerCaseKeys: boolean,
): Readonly<Record<string, U>> {
  return Object.fromEntries(
    Object.entries(record).map(([key, value]) => [lowerCaseKeys ? key.toLowerCase() : key, convert(value)]),
  );
}
