// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { HttpRouteSpec } from "../../core/documents/kinds/virtual-service-schema.ts";
import type { FaultRule, RouteAction } from "../../core/traffic/resources/route.ts";
import { parseDurationMs } from "../../kernel/duration.ts";
import { httpStatusOf } from "../../kernel/status.ts";

// The parts of a route that make replies of the proxy's own.

type Action<K extends RouteAction["kind"]> = Extract<RouteAction, { readonly kind: K }>;

const DERIVED_PORTS = { FROM_PROTOCOL_DEFAULT: "scheme", FROM_REQUEST_PORT: "request" } as const;

/** A redirect of a VirtualService, or of an HTTPRoute, which may replace a prefix of the path too. */
export type RedirectSpec = NonNullable<HttpRouteSpec["redirect"]> & Pick<Action<"redirect">, "prefix">;

/** A redirect that was checked: it has `port` or `derivePort`, or neither. */
export function redirectOf({
  redirectCode,
  scheme,
  authority,
  port,
  derivePort,
  uri,
  prefix,
}: RedirectSpec): Action<"redirect"> {
  return {
    kind: "redirect",
    code: redirectCode ?? 301,
    ...(scheme === undefined ? {} : { scheme }),
    ...(authority === undefined ? {} : { authority }),
    ...(port === undefined ? {} : { port }),
    ...(derivePort === undefined ? {} : { derivePort: DERIVED_PORTS[derivePort] }),
    ...(uri === undefined ? {} : { path: uri }),
    ...(prefix === undefined ? {} : { prefix }),
  };
}

/** A direct response; its body is empty by default. */
export function directResponseOf({
  status,
  body: { string: body = "", bytes } = {},
}: NonNullable<HttpRouteSpec["directResponse"]>): Action<"direct"> {
  return bytes === undefined
    ? { kind: "direct", status, body, contentType: "text/plain; charset=utf-8" }
    : // Envoy's type for every direct response. Bytes say nothing of a charset.
      { kind: "direct", status, body, bytes, contentType: "text/plain" };
}

/** A fault rule that was checked: its abort has exactly one status. */
export function faultOf({ delay, abort }: NonNullable<HttpRouteSpec["fault"]>): FaultRule {
  return {
    ...(delay === undefined
      ? {}
      : {
          delay: { delayMs: parseDurationMs(delay.fixedDelay) ?? 0, percentage: delay.percentage.value },
        }),
    ...(abort === undefined ? {} : { abort: abortOf(abort) }),
  };
}

function abortOf({
  httpStatus = 500,
  grpcStatus,
  percentage: { value: percentage },
}: NonNullable<NonNullable<HttpRouteSpec["fault"]>["abort"]>): NonNullable<FaultRule["abort"]> {
  return grpcStatus === undefined
    ? { status: httpStatus, percentage }
    : { status: httpStatusOf(grpcStatus), grpcStatus, percentage };
}
