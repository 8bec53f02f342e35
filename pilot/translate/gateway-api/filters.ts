// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { corsPolicyOf } from "../../../core/documents/kinds/gateway-api/cors.ts";
import type { FilterSpec, RequestRedirectSpec } from "../../../core/documents/kinds/gateway-api/filters.ts";
import type { HttpRouteSpec } from "../../../core/documents/kinds/virtual-service-schema.ts";
import type { RouteKind } from "../../../core/documents/kinds/gateway-api/attachment.ts";
import type { RedirectSpec } from "../route-replies.ts";
import { type Backends, targetOf } from "./backends.ts";
import { backendHeadersOf } from "./headers.ts";
import type { PathPart } from "./paths.ts";

/** The listener that a redirect is answered at; undefined in a sidecar. */
export type RedirectListener = { readonly port: number; readonly scheme: "http" | "https" } | undefined;

/** The fields of a route that the rule's filters set, besides a redirect. */
export function filterFieldsOf(
  filters: readonly FilterSpec[],
  part: PathPart,
  route: { readonly kind: RouteKind; readonly namespace: string },
  backends: Backends,
): Pick<HttpRouteSpec, "headers" | "mirrors" | "corsPolicy" | "rewrite"> {
  const headers = backendHeadersOf(filters);
  const cors = filters.find((filter) => filter.cors !== undefined)?.cors;
  const mirrors = filters.flatMap(({ requestMirror }) => {
    const destination = requestMirror && targetOf(requestMirror.backendRef, route, backends);
    if (requestMirror === undefined || destination === undefined) return [];
    const { percent, fraction } = requestMirror;
    const share =
      fraction === undefined ? percent : (100 * fraction.numerator) / (fraction.denominator ?? 100);
    return [{ destination, ...(share === undefined ? {} : { percentage: { value: share } }) }];
  });
  const rewrite = rewriteOf(filters.find((filter) => filter.urlRewrite !== undefined)?.urlRewrite, part);
  return {
    ...(headers === undefined ? {} : { headers }),
    ...(mirrors.length === 0 ? {} : { mirrors }),
    ...(cors === undefined ? {} : { corsPolicy: corsPolicyOf(cors) }),
    ...(rewrite === undefined ? {} : { rewrite }),
  };
}

function rewriteOf(rewrite: FilterSpec["urlRewrite"], part: PathPart): HttpRouteSpec["rewrite"] {
  if (rewrite === undefined) return undefined;
  const { hostname, path } = rewrite;
  const authority = hostname === undefined ? {} : { authority: hostname };
  if (path === undefined) return hostname === undefined ? undefined : authority;
  if (path.type === "ReplacePrefixMatch")
    return { ...authority, uri: replacedPrefix(path.replacePrefixMatch ?? "", part) };
  // A route with a prefix rewrites the prefix alone; the expression takes the whole path.
  const whole = (path.replaceFullPath ?? "/").replaceAll("\\", "\\\\");
  return { ...authority, uriRegexRewrite: { match: "^.*$", rewrite: whole } };
}

/** The replacement of the part's own path: `/new` for all of it, `/new/` for a beginning with a slash at its end. */
function replacedPrefix(replacement: string, part: PathPart): string {
  const segments = replacement.replace(/\/$/, "");
  return part.kind === "prefix" ? `${segments}/` : segments || "/";
}

/** A redirect, answered at the listener; its status is 302 by default. */
export function redirectOf(
  redirect: RequestRedirectSpec,
  part: PathPart,
  listener: RedirectListener,
): RedirectSpec {
  const { scheme, hostname, path, statusCode } = redirect;
  return {
    redirectCode: statusCode ?? 302,
    ...(scheme === undefined ? {} : { scheme }),
    ...(hostname === undefined ? {} : { authority: hostname }),
    ...portOf(redirect, listener),
    ...(path === undefined ? {} : redirectPath(path, part)),
  };
}

function redirectPath(
  path: NonNullable<RequestRedirectSpec["path"]>,
  part: PathPart,
): Pick<RedirectSpec, "uri" | "prefix"> {
  if (path.type === "ReplaceFullPath") return { uri: path.replaceFullPath ?? "/" };
  const to = replacedPrefix(path.replacePrefixMatch ?? "", part);
  return part.kind === "prefix" ? { prefix: { from: part.path, to } } : { uri: to };
}

const DEFAULT_PORTS = { http: 80, https: 443 } as const;

/** The port of the Location: of the filter, else of its scheme, else of the listener; the scheme's own port is not written. */
function portOf(
  { scheme, port }: RequestRedirectSpec,
  listener: RedirectListener,
): Pick<RedirectSpec, "port" | "derivePort"> {
  if (port === undefined && scheme !== undefined) return { derivePort: "FROM_PROTOCOL_DEFAULT" };
  if (listener === undefined) return port === undefined ? { derivePort: "FROM_REQUEST_PORT" } : { port };
  const number = port ?? listener.port;
  return number === DEFAULT_PORTS[scheme ?? listener.scheme]
    ? { derivePort: "FROM_PROTOCOL_DEFAULT" }
    : { port: number };
}
