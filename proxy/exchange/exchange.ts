// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag } from "../../core/attributes/bag.ts";
import type { Authority } from "../../kernel/canonical/authority.ts";
import type { ErrorCode } from "../../kernel/error-catalog.ts";
import type { Endpoint } from "../../core/traffic/resources/endpoint.ts";
import type { Listener } from "../../core/traffic/resources/listener.ts";
import type { RouteAction, WeightedDestination } from "../../core/traffic/resources/route.ts";
import type { MatchedRoute } from "../../core/traffic/route-table.ts";
import type { Cluster } from "../upstream/cluster.ts";
import type { ConnectionFacts } from "../transport/contract/connection.ts";
import type { RequestHead, ResponseHead } from "../transport/contract/head.ts";
import type { HeaderList } from "../transport/contract/header-list.ts";
import type { EndpointSet } from "../upstream/endpoint-set.ts";
import type { ResponseFlag } from "./local-reply.ts";
import type { CheckResult } from "../policy/check-result.ts";
import type { ProxySnapshot } from "../snapshot/snapshot.ts";

/** The request as filters see and change it; what stands here at the end of the chain goes upstream. */
export interface ExchangeRequest {
  readonly method: string;
  /** Normalized by the validate filter; what goes upstream at the end. */
  path: string;
  /** With its `?`; empty when there is none. */
  query: string;
  /** Of the Host field, or of an absolute target; names nothing until the validate filter has read them. */
  authority: Authority;
  scheme: "http" | "https";
  readonly headers: HeaderList;
  /** Undefined when the body is chunked. */
  readonly contentLength: number | undefined;
  readonly hasBody: boolean;
  readonly httpVersion: string;
  /** The protocol that the client wants to go on with, such as `websocket`. */
  readonly upgrade: string | undefined;
}

/** Ids in lower-case hex, as W3C Trace Context writes them. */
export interface TraceContext {
  readonly traceId: string;
  /** This proxy's own span. */
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly sampled: boolean;
}

/** What routing chose for a request. */
export type RouteSelection =
  | {
      readonly kind: "forward";
      readonly matched: MatchedRoute;
      readonly action: Extract<RouteAction, { readonly kind: "forward" }>;
      readonly destination: WeightedDestination;
      readonly cluster: Cluster;
      readonly endpoints: EndpointSet;
    }
  /** The route answers by itself: a redirect or a direct response. */
  | {
      readonly kind: "answer";
      readonly matched: MatchedRoute;
      readonly action: Exclude<RouteAction, { readonly kind: "forward" }>;
    };

/**
 * One request and its response on their way through the proxy: what each filter learns, the later ones and the report
 * read here. It belongs to one request; only the filters, the pipeline and the forwarder write to it.
 */
export class Exchange {
  readonly listener: Listener;
  /** The configuration that the request began with, and keeps. */
  readonly snapshot: ProxySnapshot;
  readonly connection: ConnectionFacts;
  readonly request: ExchangeRequest;
  /** Wall time and monotonic time of the request's arrival. */
  readonly startMs: number;
  readonly startMonotonicMs: number;

  requestId: string | undefined = undefined;
  trace: TraceContext | undefined = undefined;
  /** The client that forwarding headers name, as far as they are trusted. */
  originIp: string;
  selection: RouteSelection | undefined = undefined;
  attributes: AttributeBag | undefined = undefined;
  /** The right key, with which the client asks why the request is decided as it is. */
  explainKey: string | undefined = undefined;
  verdict: CheckResult | undefined = undefined;

  response: ResponseHead | undefined = undefined;
  /** The trailers of the request and of the response, filtered. */
  requestTrailers: HeaderList | undefined = undefined;
  responseTrailers: HeaderList | undefined = undefined;
  /** Whether the upstream agreed to `request.upgrade`, so that bytes go both ways. */
  upgraded = false;
  /** Where the last try went. */
  endpoint: Endpoint | undefined = undefined;
  tries = 0;
  readonly flags: ResponseFlag[] = [];
  /** What Envoy calls response code details; `via_upstream` when the upstream answered. */
  details = "";
  /** Code of the error for which the proxy answered by itself. */
  errorCode: ErrorCode | undefined = undefined;
  /** What went wrong upstream, for logs alone: it may name addresses. */
  upstreamFailure: string | undefined = undefined;
  /** Bodies and the request's header block, in bytes. */
  requestBytes = 0;
  readonly requestHeaderBytes: number;
  responseBytes = 0;
  #endMonotonicMs: number | undefined = undefined;
  #onFinished: (() => void)[] | undefined = undefined;

  constructor(origin: {
    readonly listener: Listener;
    readonly snapshot: ProxySnapshot;
    readonly connection: ConnectionFacts;
    readonly head: RequestHead;
    readonly startMs: number;
    readonly startMonotonicMs: number;
  }) {
    this.listener = origin.listener;
    this.snapshot = origin.snapshot;
    this.connection = origin.connection;
    this.request = requestOf(origin.head, origin.connection);
    this.startMs = origin.startMs;
    this.startMonotonicMs = origin.startMonotonicMs;
    this.requestHeaderBytes = origin.head.headers.byteLength();
    this.originIp = origin.connection.remoteIp;
  }

  /** Whether the response is out, or the downstream gone. */
  get finished(): boolean {
    return this.#endMonotonicMs !== undefined;
  }

  /** Milliseconds from the request's arrival to the end; 0 while it is under way. */
  get durationMs(): number {
    return this.#endMonotonicMs === undefined ? 0 : this.#endMonotonicMs - this.startMonotonicMs;
  }

  /** Calls back when the exchange is over, for what must not outlive it. */
  onceFinished(callback: () => void): void {
    (this.#onFinished ??= []).push(callback);
  }

  /** @returns False when it was over already. */
  finish(endMonotonicMs: number): boolean {
    if (this.finished) return false;
    this.#endMonotonicMs = endMonotonicMs;
    for (const callback of this.#onFinished ?? []) callback();
    return true;
  }

  /** Envoy's form: `UF,URX`, or `-`. */
  get flagText(): string {
    return this.flags.length === 0 ? "-" : this.flags.join(",");
  }

  flag(flag: ResponseFlag): void {
    if (!this.flags.includes(flag)) this.flags.push(flag);
  }
}

/** As it came; the validate filter makes sense of it. */
function requestOf(head: RequestHead, { tls }: ConnectionFacts): ExchangeRequest {
  const { method, target, headers, contentLength, hasBody, httpVersion, upgrade } = head;
  const mark = target.indexOf("?");
  return {
    method,
    path: mark < 0 ? target : target.slice(0, mark),
    query: mark < 0 ? "" : target.slice(mark),
    authority: { host: "", port: undefined },
    scheme: tls === undefined ? "http" : "https",
    headers,
    contentLength,
    hasBody,
    httpVersion,
    upgrade,
  };
}
