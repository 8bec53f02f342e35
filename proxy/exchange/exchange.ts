// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag } from "../../core/attributes/bag.ts";
import { wholeMicroseconds } from "../../kernel/duration.ts";
import type { Authority } from "../../kernel/canonical/authority.ts";
import type { ErrorCode } from "../../kernel/error-catalog.ts";
import type { Listener } from "../../core/traffic/resources/listener.ts";
import type { RouteAction } from "../../core/traffic/resources/route.ts";
import type { CompiledCors } from "../../core/traffic/cors.ts";
import type { CompiledDestination, MatchedRoute } from "../../core/traffic/route-table.ts";
import type { RequestFields } from "../../core/attributes/request-group.ts";
import type { Authentication } from "../authentication/authentication.ts";
import type { Cluster } from "../upstream/cluster.ts";
import type { ConnectionFacts } from "../transport/contract/connection.ts";
import type { RequestHead, ResponseHead } from "../transport/contract/head.ts";
import type { HeaderList } from "../transport/contract/header-list.ts";
import type { ClusterEndpoint, EndpointSet } from "../upstream/endpoint-set.ts";
import type { Place } from "../upstream/overload-gate.ts";
import { flagsOfAll } from "../transport/fields/name-flags.ts";
import type { BodyReader } from "./body-reader.ts";
import type { GrpcWebCall } from "./grpc-web-call.ts";
import type { ResponseFlag } from "./local-reply.ts";
import type { CheckResult } from "../policy/check-result.ts";
import type { ProxySnapshot } from "../snapshot/snapshot.ts";

/** The request, which filters read and change; its state after the chain goes upstream. */
export interface ExchangeRequest {
  /** In upper case after the validate filter. */
  method: string;
  /** Normalized by the validate filter. Sent upstream as it is after the chain. */
  path: string;
  /** With its `?`; empty when there is no query. */
  query: string;
  /** From the Host field or an absolute target; empty until the validate filter has parsed it. */
  authority: Authority;
  /** The authority as the Host header writes it. */
  authorityText: string;
  scheme: "http" | "https";
  readonly headers: HeaderList;
  /** In bytes; undefined for a chunked body, and for one that the proxy decodes. */
  contentLength: number | undefined;
  readonly hasBody: boolean;
  readonly httpVersion: string;
  /** The protocol that the client asks to upgrade to, such as `websocket`; undefined for none. */
  readonly upgrade: string | undefined;
}

/** W3C Trace Context ids, in lower-case hex. */
export interface TraceContext {
  readonly traceId: string;
  /** This proxy's own span. */
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly sampled: boolean;
}

export type ForwardAction = Extract<RouteAction, { readonly kind: "forward" }>;

/** Result of routing a request. */
export type RouteSelection =
  | {
      readonly kind: "forward";
      readonly matched: MatchedRoute;
      readonly action: ForwardAction;
      readonly destination: CompiledDestination;
      readonly cluster: Cluster;
      readonly endpoints: EndpointSet;
    }
  /** A route with a local reply: a redirect or a direct response. */
  | {
      readonly kind: "answer";
      readonly matched: MatchedRoute;
      readonly action: Exclude<RouteAction, { readonly kind: "forward" }>;
    };

/** Decision of a route's CORS policy about a request. */
export interface CorsDecision {
  readonly policy: CompiledCors;
  /** `same-origin`: a request without an Origin field. */
  readonly request: "preflight" | "actual" | "same-origin";
  /** The value of `access-control-allow-origin`; undefined when the origin is not allowed. */
  readonly allowedOrigin: string | undefined;
}

/** The configuration in force when a request begins. */
interface ExchangeBinding {
  readonly listener: Listener;
  readonly snapshot: ProxySnapshot;
}

/** The request as it arrived. */
interface ExchangeStream {
  readonly connection: ConnectionFacts;
  readonly head: RequestHead;
}

const NO_FLAGS: readonly ResponseFlag[] = [];
const NO_AUTHORITY: Authority = { host: "", port: undefined };

/**
 * One request and its response on their way through the proxy: filters record here what they learn, for later
 * filters and the report. Only the filters, the pipeline and the forwarder write to it.
 */
export class Exchange {
  readonly listener: Listener;
  /** The configuration in force when the request began; the request keeps it. */
  readonly snapshot: ProxySnapshot;
  readonly connection: ConnectionFacts;
  readonly request: ExchangeRequest;
  /**
   * Wall-clock time of the request's arrival; `startMonotonicMs` is the same moment on the monotonic clock.
   */
  readonly startMs: number;
  readonly startMonotonicMs: number;

  requestId: string | undefined = undefined;
  trace: TraceContext | undefined = undefined;
  /** The client's address according to trusted forwarding headers. */
  originIp: string;
  selection: RouteSelection | undefined = undefined;
  /** Undefined for a route without a CORS policy. Decided before a filter can change the Origin field. */
  cors: CorsDecision | undefined = undefined;
  attributes: AttributeBag | undefined = undefined;
  /** The attributes that the check decided by, where they are not `attributes`: at an edge, of its own policies. */
  checkedAttributes: AttributeBag | undefined = undefined;
  /** The attributes `request.*` of `attributes`, for the report. Only the attributes filter uses them. */
  requestFields: RequestFields | undefined = undefined;
  /** The user whose token was verified. */
  authentication: Authentication | undefined = undefined;
  /** The flags of all names in the request as it arrived (name-flags.ts). */
  readonly nameFlags: number;
  /** The valid explain key, if the client sent it to ask for an explanation. */
  explainKey: string | undefined = undefined;
  verdict: CheckResult | undefined = undefined;

  /**
   * End of the client's token (its `exp` and any leeway), in milliseconds since the Unix epoch: a long stream is closed
   * then. Set by the filter that verifies tokens; undefined for a request without a verified token.
   */
  credentialExpiresAtEpochMs: number | undefined = undefined;

  /** Value of the Set-Cookie field that keeps the client at its weighted destination; undefined for none. */
  splitCookie: string | undefined = undefined;

  /** The request's place at its destination; undefined where no Overload document applies. */
  place: Place | undefined = undefined;

  /** The forms of a call of gRPC-Web that is forwarded as gRPC; undefined for any other request. */
  grpcWeb: GrpcWebCall | undefined = undefined;

  response: ResponseHead | undefined = undefined;
  /** The trailers of the request and of the response, after the filters. */
  requestTrailers: HeaderList | undefined = undefined;
  responseTrailers: HeaderList | undefined = undefined;
  /** Whether the upstream accepted `request.upgrade`: the exchange is a tunnel from then on. */
  upgraded = false;
  /** The endpoint of the last try. */
  endpoint: ClusterEndpoint | undefined = undefined;
  tries = 0;
  flags: readonly ResponseFlag[] = NO_FLAGS;
  /** Envoy's response code details; `via_upstream` when the upstream answered. */
  details = "";
  /** Error code of the local reply for an error. */
  errorCode: ErrorCode | undefined = undefined;
  /** Failure of the upstream, for logs only: it may contain addresses. */
  upstreamFailure: string | undefined = undefined;
  /** Size of the request's header block and body, in bytes. */
  requestBytes = 0;
  readonly requestHeaderBytes: number;
  responseBytes = 0;
  /** Reads the response's body for charges that depend on it. */
  bodyReader: BodyReader | undefined = undefined;
  #endMonotonicMs: number | undefined = undefined;
  #onFinished: (() => void)[] | undefined = undefined;

  constructor(binding: ExchangeBinding, stream: ExchangeStream, startMs: number, startMonotonicMs: number) {
    const { connection, head } = stream;
    this.listener = binding.listener;
    this.snapshot = binding.snapshot;
    this.connection = connection;
    this.request = requestOf(head, connection);
    this.startMs = startMs;
    this.startMonotonicMs = startMonotonicMs;
    this.requestHeaderBytes = head.headers.byteLength();
    // Before any filter changes the list: equal heads share the flags.
    this.nameFlags = flagsOfAll(head.headers);
    this.originIp = connection.remoteIp;
  }

  /** Whether the exchange is over: the response was sent, or the downstream is gone. */
  get finished(): boolean {
    return this.#endMonotonicMs !== undefined;
  }

  /** Milliseconds from the request's arrival to its end, in whole microseconds; 0 while it is under way. */
  get durationMs(): number {
    return this.#endMonotonicMs === undefined
      ? 0
      : wholeMicroseconds(this.#endMonotonicMs - this.startMonotonicMs);
  }

  /** Calls back when the exchange is over, to release what belongs to it. */
  onceFinished(callback: () => void): void {
    (this.#onFinished ??= []).push(callback);
  }

  /** @returns False when the exchange was over already. */
  finish(endMonotonicMs: number): boolean {
    if (this.finished) return false;
    this.#endMonotonicMs = endMonotonicMs;
    if (this.#onFinished !== undefined) for (const callback of this.#onFinished) callback();
    return true;
  }

  /** Response flags in Envoy's format: `UF,URX`, or `-`. */
  get flagText(): string {
    return this.flags.length === 0 ? "-" : this.flags.join(",");
  }

  flag(flag: ResponseFlag): void {
    if (!this.flags.includes(flag)) this.flags = [...this.flags, flag];
  }
}

/** The request as it arrived; the validate filter normalizes it. */
function requestOf(head: RequestHead, { tls }: ConnectionFacts): ExchangeRequest {
  const { method, target, headers, contentLength, hasBody, httpVersion, upgrade } = head;
  const mark = target.indexOf("?");
  return {
    method,
    path: mark < 0 ? target : target.slice(0, mark),
    query: mark < 0 ? "" : target.slice(mark),
    authority: NO_AUTHORITY,
    authorityText: "",
    scheme: tls === undefined ? "http" : "https",
    headers,
    contentLength,
    hasBody,
    httpVersion,
    upgrade,
  };
}
