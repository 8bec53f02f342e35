// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ProxyNode } from "../../api/pilot-service.ts";
import { type Authority, parseAuthority } from "../../kernel/canonical/authority.ts";
import { redirectLocation, rewritePath } from "../../core/traffic/request-target.ts";
import { compileRouteTable, matchRoute } from "../../core/traffic/route-table.ts";
import type { RouteMatch } from "../../core/traffic/resources/route.ts";
import { trafficDocuments } from "./traffic-documents.ts";
import { translate } from "../../pilot/translate/translate.ts";

// The decisions of routing that tests of the Gateway API compare, from documents to the matched route.

export const EDGE: ProxyNode = { role: "edge", id: "e", host: "127.0.0.1", port: 8_000, trustedHops: 0 };

export const sidecarIn = (namespace: string): ProxyNode => ({
  role: "sidecar",
  id: "caller-1",
  host: "127.0.0.1",
  service: "caller",
  namespace,
  outboundPort: 15_001,
});

export function document(kind: string, metadata: object | string, spec: object): string {
  const apiVersion = `gateway.networking.k8s.io/${kind === "ReferenceGrant" ? "v1beta1" : "v1"}`;
  const named = typeof metadata === "string" ? { name: metadata } : metadata;
  return `${JSON.stringify({ apiVersion, kind, metadata: named, spec })}\n---\n`;
}

export function service(name: string, namespace = "default", port = 80): string {
  const spec = { ports: [{ name: "http", port }], selector: { app: name } };
  return `${JSON.stringify({ apiVersion: "v1", kind: "Service", metadata: { name, namespace }, spec })}\n---\n`;
}

export const GATEWAY = document("Gateway", "gw", {
  gatewayClassName: "purser",
  listeners: [
    { name: "http", port: 8_080, protocol: "HTTP", allowedRoutes: { namespaces: { from: "All" } } },
  ],
});

export const to = (name: string, more: object = {}) => ({ name, port: 80, ...more });

export const httpRoute = (rules: readonly object[], more: object = {}, metadata: object | string = "r") =>
  document("HTTPRoute", metadata, { parentRefs: [{ name: "gw" }], ...more, rules });

export interface Asked {
  readonly host?: string;
  readonly path?: string;
  readonly query?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * The outcome of a request as a short text: `NAME=WEIGHT …` of the destinations, a share that is refused, the rewritten
 * target, a Location, or a status.
 */
export function routed(text: string, asked: Asked, node: ProxyNode = EDGE, table = "http.8080"): string {
  const found = translate(trafficDocuments(text), node).routes.resources.find(({ name }) => name === table);
  if (found === undefined) return "no table";
  const { host = "a.example.com", path = "/", query = "", method = "GET", headers = {} } = asked;
  const matched = matchRoute(compileRouteTable(found), {
    authority: parseAuthority(host) as Authority,
    path,
    query,
    method,
    headers: { values: (name) => (headers[name] === undefined ? [] : [headers[name]]) },
  });
  if (matched === undefined) return "404";
  const { action, fault } = matched.route;
  if (action.kind === "direct") return `${action.status}`;
  if (action.kind === "redirect")
    return `${action.code} ${redirectLocation(action, { scheme: "http", authority: host, path, query })}`;
  const destinations = action.destinations.map(
    ({ cluster, weight }) => `${/([^|.]+)(?:\.[^|]*)?$/.exec(cluster)?.[1]}=${weight}`,
  );
  const { rewrite } = action;
  const refused = fault?.abort;
  return [
    ...destinations,
    ...(refused === undefined ? [] : [`${refused.percentage}%:${refused.grpcStatus ?? refused.status}`]),
    ...(rewrite?.authority === undefined ? [] : [`host:${rewrite.authority}`]),
    ...(rewrite?.path === undefined ? [] : [rewritten(path, rewrite.path, matched.route.matches[0])]),
  ].join(" ");
}

function rewritten(
  path: string,
  rewrite: Parameters<typeof rewritePath>[1] | { readonly kind: "regex"; readonly substitution: string },
  match: RouteMatch | undefined,
): string {
  return rewrite.kind === "regex" ? rewrite.substitution : rewritePath(path, rewrite, match);
}
