// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { StatusCode } from "../../../kernel/status.ts";
import type { HashSource } from "./load-balancer.ts";

/**
 * The routes of one or several listeners, which refer to the table by name. Envoy calls it a route
 * configuration.
 */
export interface RouteTable {
  readonly name: string;
  readonly virtualHosts: readonly VirtualHost[];
}

export interface VirtualHost {
  readonly name: string;
  /**
   * Exact (`reviews`), suffix (`*.example.com`) or `*`; lower case. An exact domain may have a port
   * (`reviews:9090`), and then precedes the same domain without port; all others are compared without the
   * request's port.
   */
  readonly domains: readonly string[];
  /** The first matching route is used. */
  readonly routes: readonly Route[];
}

export interface Route {
  readonly name: string;
  /** The route matches when any of these matches; an empty list matches everything. */
  readonly matches: readonly RouteMatch[];
  readonly action: RouteAction;
  readonly requestHeaders: RouteHeaderOperations;
  readonly responseHeaders: RouteHeaderOperations;
  readonly fault?: FaultRule;
  readonly cors?: CorsPolicy;
}

export interface RouteMatch {
  readonly path?: StringMatch;
  readonly ignoreCase: boolean;
  readonly method?: StringMatch;
  /** By lower-case name; `:authority` is the Host header in canonical form. */
  readonly headers: Readonly<Record<string, HeaderMatch>>;
  readonly withoutHeaders: Readonly<Record<string, HeaderMatch>>;
  readonly queryParams: Readonly<Record<string, HeaderMatch>>;
}

/** `regex` is RE2 syntax and must match the whole value. */
export type StringMatch =
  | { readonly kind: "exact"; readonly value: string }
  | { readonly kind: "prefix"; readonly value: string }
  | { readonly kind: "regex"; readonly value: string };

export type HeaderMatch = StringMatch | { readonly kind: "present" };

export type RouteAction =
  | {
      readonly kind: "forward";
      /** Weights are relative to their sum, which is above 0. */
      readonly destinations: readonly WeightedDestination[];
      /** The value of a request that decides its destination; absent for a random destination. */
      readonly splitOn?: HashSource;
      readonly rewrite?: { readonly path?: PathRewrite; readonly authority?: string };
      /**
       * Timeout from the arrival of the whole request to the whole response, including retries. 0 for none.
       */
      readonly timeoutMs: number;
      readonly retry: RetryPolicy;
      /** Clusters that get copies of requests. */
      readonly mirrors?: readonly RouteMirror[];
    }
  | {
      readonly kind: "redirect";
      readonly code: 301 | 302 | 303 | 307 | 308;
      readonly scheme?: string;
      readonly authority?: string;
      readonly port?: number;
      /** In place of `port`: the default port of the new scheme, or the port of the request. */
      readonly derivePort?: "scheme" | "request";
      readonly path?: string;
      /** In place of `path`: the beginning of the request's path, and its replacement. */
      readonly prefix?: { readonly from: string; readonly to: string };
    }
  | {
      readonly kind: "direct";
      readonly status: number;
      readonly body: string;
      /** In place of `body`: bytes in base64, with either alphabet. */
      readonly bytes?: string;
      readonly contentType: string;
    };

export interface RouteMirror {
  readonly cluster: string;
  /** Share of the requests that are copied, 0 to 100; drawn for each mirror alone. */
  readonly percentage: number;
}

export interface WeightedDestination {
  readonly cluster: string;
  readonly weight: number;
  readonly requestHeaders: RouteHeaderOperations;
  readonly responseHeaders: RouteHeaderOperations;
}

/** Replaces the route's matched prefix, the whole path, or every match of an RE2 pattern. The query is kept. */
export type PathRewrite =
  | { readonly kind: "prefix"; readonly value: string }
  | { readonly kind: "whole"; readonly value: string }
  /** In the substitution, `\1` to `\9` stand for the pattern's groups and `\0` for the whole match. */
  | { readonly kind: "regex"; readonly pattern: string; readonly substitution: string };

export interface RouteHeaderOperations {
  readonly set: Readonly<Record<string, string>>;
  readonly add: Readonly<Record<string, string>>;
  readonly remove: readonly string[];
}

export const NO_HEADER_OPERATIONS: RouteHeaderOperations = { set: {}, add: {}, remove: [] };

/** Failures after which a request may be tried again: Envoy's words. */
export const RETRY_CONDITIONS = [
  "connect-failure",
  "refused-stream",
  "reset",
  "reset-before-request",
  "gateway-error",
  "5xx",
  "retriable-4xx",
  "envoy-ratelimited",
  "cancelled",
  "deadline-exceeded",
  "internal",
  "resource-exhausted",
  "unavailable",
] as const;

export type RetryCondition = (typeof RETRY_CONDITIONS)[number];

export interface RetryPolicy {
  /** Attempts after the first; 0 for none. */
  readonly retries: number;
  readonly on: readonly RetryCondition[];
  /** Further response codes that are retried. */
  readonly onStatuses: readonly number[];
  /**
   * Whether `on` and `onStatuses` apply only to idempotent methods (RFC 9110, section 9.2.2). A request with
   * another method is then retried only when nothing was sent.
   */
  readonly idempotentOnly: boolean;
  /** Timeout of one attempt, until response headers; 0 for none. */
  readonly perTryTimeoutMs: number;
  /** Envoy's back-off: full jitter in [0, (2^n - 1) × base), at most max. */
  readonly backoffBaseMs: number;
  readonly backoffMaxMs: number;
  /** Whether a retry may go to an endpoint where the request failed before; default false. */
  readonly mayRepeatEndpoints?: boolean;
  /**
   * Whether the timeout of an attempt starts another attempt beside it (a hedged request) in place of ending it;
   * default false.
   */
  readonly hedgeOnTryTimeout?: boolean;
}

/** Cross-origin resource sharing, by the names of Istio's CorsPolicy. */
export interface CorsPolicy {
  /** An exact `*` allows any origin, and then no credentials. */
  readonly allowOrigins: readonly StringMatch[];
  readonly allowMethods: readonly string[];
  readonly allowHeaders: readonly string[];
  readonly exposeHeaders: readonly string[];
  /** Absent for the browser's own time. */
  readonly maxAgeSeconds?: number;
  readonly allowCredentials: boolean;
  /** Whether a preflight from another origin goes on as any request; otherwise it is answered without CORS fields. */
  readonly forwardUnmatchedPreflights: boolean;
}

export interface FaultRule {
  readonly delay?: { readonly delayMs: number; readonly percentage: number };
  readonly abort?: {
    /** The HTTP status; with `grpcStatus`, that of requests which are not gRPC. */
    readonly status: number;
    readonly grpcStatus?: StatusCode;
    readonly percentage: number;
  };
}
