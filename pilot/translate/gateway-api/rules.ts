// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { RouteKind } from "../../../core/documents/kinds/gateway-api/attachment.ts";
import type {
  GrpcMatchSpec,
  GrpcRouteDocSpec,
} from "../../../core/documents/kinds/gateway-api/grpc-route.ts";
import type {
  HttpRouteDocSpec,
  HttpRuleSpec,
  RouteMatchSpec,
} from "../../../core/documents/kinds/gateway-api/http-route.ts";
import { displayName, type Metadata } from "../../../core/documents/kinds/kind.ts";
import type { HttpMatchSpec } from "../../../core/documents/kinds/virtual-service-match.ts";
import type { HttpRouteSpec } from "../../../core/documents/kinds/virtual-service-schema.ts";
import { parseDurationMs } from "../../../kernel/duration.ts";
import { type Backends, forwardingOf } from "./backends.ts";
import { filterFieldsOf, type RedirectListener, redirectOf } from "./filters.ts";
import { type PathPart, pathParts, uriOf } from "./paths.ts";
import type { RankedRoute } from "./precedence.ts";

/** A route document, and the place where its rules are used. */
export interface RuleSource {
  readonly kind: RouteKind;
  readonly metadata: Metadata;
  readonly listener: RedirectListener;
  /** The called port that the rules are for; undefined for any. */
  readonly port: number | undefined;
  readonly backends: Backends;
}

export function httpRoutesOf({ rules = [{}] }: HttpRouteDocSpec, source: RuleSource): readonly RankedRoute[] {
  return rules.flatMap((rule, index) =>
    nonEmpty<RouteMatchSpec>(rule.matches, {}).flatMap((match) =>
      pathParts(match.path).map((part) => {
        const conditions = {
          ...uriOf(part),
          ...valuesOf(match),
          ...(match.method === undefined ? {} : { method: { exact: match.method } }),
        };
        return { rank: rankOfHttp(match), route: routeOf(rule, index, conditions, part, source) };
      }),
    ),
  );
}

export function grpcRoutesOf({ rules = [{}] }: GrpcRouteDocSpec, source: RuleSource): readonly RankedRoute[] {
  return rules.flatMap((rule, index) =>
    nonEmpty<GrpcMatchSpec>(rule.matches, {}).map((match) => {
      const part = grpcPart(match);
      const conditions = { ...uriOf(part), ...valuesOf(match) };
      return { rank: rankOfGrpc(match), route: routeOf(rule, index, conditions, part, source) };
    }),
  );
}

/** A rule without matches holds for every request: one match without conditions. */
function nonEmpty<M>(matches: readonly M[] | undefined, everything: M): readonly M[] {
  return matches === undefined || matches.length === 0 ? [everything] : matches;
}

function routeOf(
  rule: Omit<HttpRuleSpec, "matches">,
  index: number,
  conditions: HttpMatchSpec,
  part: PathPart,
  { kind, metadata, listener, port, backends }: RuleSource,
): HttpRouteSpec {
  const { filters = [], backendRefs = [] } = rule;
  const route = { kind, namespace: metadata.namespace };
  const redirect = filters.find((filter) => filter.requestRedirect !== undefined)?.requestRedirect;
  const { rewrite, mirrors, ...others } = filterFieldsOf(filters, part, route, backends);
  const common = {
    name: `${displayName(metadata)}.${rule.name ?? index}`,
    match: [{ ...conditions, ...(port === undefined ? {} : { port }) }],
    ...others,
  };
  if (redirect !== undefined) return { ...common, redirect: redirectOf(redirect, part, listener) };
  const forwarding = forwardingOf(backendRefs, route, backends);
  if (forwarding.directResponse !== undefined) return { ...common, ...forwarding };
  return {
    ...common,
    ...forwarding,
    ...(rewrite === undefined ? {} : { rewrite }),
    ...(mirrors === undefined ? {} : { mirrors }),
    ...timesOf(rule),
  };
}

/** Istio's default. */
const DEFAULT_ATTEMPTS = 2;
/** Failures that `retry` is about besides response codes: no answer was begun. */
const CONNECTION_FAILURES = "connect-failure,refused-stream,reset-before-request";

function timesOf({
  timeouts,
  retry,
}: Pick<HttpRuleSpec, "timeouts" | "retry">): Pick<HttpRouteSpec, "timeout" | "retries"> {
  const { request, backendRequest } = timeouts ?? {};
  const perTry =
    backendRequest !== undefined && parseDurationMs(backendRequest) !== 0
      ? { perTryTimeout: backendRequest }
      : {};
  const retries =
    retry === undefined && perTry.perTryTimeout === undefined
      ? {}
      : {
          retries: {
            attempts: retry?.attempts ?? DEFAULT_ATTEMPTS,
            ...perTry,
            ...(retry?.codes === undefined
              ? {}
              : { retryOn: [CONNECTION_FAILURES, ...retry.codes].join(",") }),
            ...(retry?.backoff === undefined ? {} : { backoff: retry.backoff }),
          },
        };
  return { ...(request === undefined ? {} : { timeout: request }), ...retries };
}

type ValueMatches = Pick<RouteMatchSpec, "headers" | "queryParams">;

function valuesOf({ headers, queryParams }: ValueMatches): Pick<HttpMatchSpec, "headers" | "queryParams"> {
  return {
    ...(headers === undefined ? {} : { headers: recordOf(headers, (name) => name.toLowerCase()) }),
    ...(queryParams === undefined ? {} : { queryParams: recordOf(queryParams, (name) => name) }),
  };
}

/** The first entry of a name counts. */
function recordOf(list: NonNullable<ValueMatches["headers"]>, keyOf: (name: string) => string) {
  const first = new Map<string, { readonly exact: string } | { readonly regex: string }>();
  for (const { type, name, value } of list) {
    const key = keyOf(name);
    if (!first.has(key)) first.set(key, type === "RegularExpression" ? { regex: value } : { exact: value });
  }
  return Object.fromEntries(first);
}

const RANKS = { Exact: 2, RegularExpression: 1, PathPrefix: 0 } as const;

/**
 * The order of the API reference: an exact path, the longest prefix, a method, most headers, most parameters. Expressions
 * stand between exact paths and prefixes; the reference leaves their place open.
 */
function rankOfHttp({
  path = {},
  method,
  headers = [],
  queryParams = [],
}: RouteMatchSpec): readonly number[] {
  const { type = "PathPrefix", value = "/" } = path;
  const length = type === "PathPrefix" ? value.replace(/\/$/, "").length : value.length;
  return [RANKS[type], length, method === undefined ? 0 : 1, headers.length, queryParams.length];
}

/** The order of the API reference: most characters of the service, then of the method, then most metadata. */
function rankOfGrpc({
  method: { type, service = "", method = "" } = {},
  headers = [],
}: GrpcMatchSpec): readonly number[] {
  const kind = type === "RegularExpression" ? 1 : service !== "" && method !== "" ? 2 : 0;
  // The lengths that service and method have in a path, so that calls and requests of one host can be compared.
  const length = service === "" ? Math.min(method.length, 1) : service.length + 2 + method.length;
  return [kind, length, 1, headers.length, 0];
}

/** The path of a call is `/SERVICE/METHOD`. */
function grpcPart({ method: { type, service, method } = {} }: GrpcMatchSpec): PathPart {
  if (type === "RegularExpression")
    return { kind: "regex", path: `/(?:${service ?? "[^/]+"})/(?:${method ?? "[^/]+"})` };
  if (service !== undefined && method !== undefined) return { kind: "exact", path: `/${service}/${method}` };
  if (service !== undefined) return { kind: "prefix", path: `/${service}/` };
  return method === undefined
    ? { kind: "prefix", path: "/" }
    : { kind: "regex", path: `/[^/]+/${method.replaceAll(".", "\\.")}` };
}
