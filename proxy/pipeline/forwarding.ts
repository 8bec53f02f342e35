// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Cancel, Random, Scheduler } from "../../kernel/ports.ts";
import { isIdempotent, isRetriable, retryPauseMs, type TryOutcome } from "../../core/traffic/retry.ts";
import type { Exchange, RouteSelection } from "../exchange/exchange.ts";
import type { ErrorKind, ResponseFlag } from "../exchange/local-reply.ts";
import type { ClientStream, ClientStreamReceiver } from "../transport/contract/client.ts";
import type { ResponseHead } from "../transport/contract/head.ts";
import type { HeaderList } from "../transport/contract/header-list.ts";
import type { ResetReason, StreamReset } from "../transport/contract/reset.ts";
import type { ServerStream } from "../transport/contract/server.ts";
import { removeHopByHop } from "../transport/fields/hop-by-hop.ts";
import type { ClusterEndpoint } from "../upstream/endpoint-set.ts";
import { errorReplyOf, tryOutcomeOf } from "./reset-meaning.ts";
import { RequestBuffer, RequestRelay } from "./request-relay.ts";

/** Maximum size of a body that is buffered, so that it can be sent again. */
const REPLAY_LIMIT_BYTES = 64 * 1024;

type ForwardSelection = Extract<RouteSelection, { readonly kind: "forward" }>;

/**
 * Events of the forwarding. The response's body is not among them: Forwarding streams it downstream itself.
 */
interface ForwardingEvents {
  onHead(head: ResponseHead): void;
  /** Called with the trailers before they are sent. */
  onRequestTrailers(trailers: HeaderList): void;
  onResponseTrailers(trailers: HeaderList): void;
  /** The request failed before a response began. */
  onError(kind: ErrorKind, detail: string): void;
  /** The response has begun and cannot be completed. */
  onBroken(flag: ResponseFlag, details: string): void;
}

/**
 * Sends one request upstream: picks an endpoint, retries according to the route, and streams the response
 * back. Never retries once a response head has gone downstream, nor with a body that is not buffered.
 */
export class Forwarding implements ClientStreamReceiver {
  readonly #exchange: Exchange;
  readonly #downstream: ServerStream;
  readonly #selection: ForwardSelection;
  readonly #action: ForwardSelection["action"];
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #events: ForwardingEvents;

  readonly #tried: ClusterEndpoint[] = [];
  /** The upstream stream of the current try. */
  #stream: ClientStream | undefined;
  /** The whole body, if it was buffered so that it can be sent again. */
  #wholeBody: Uint8Array | undefined;
  #retriesLeft: number;
  #staleRetryLeft = true;
  #cancelTimeout: Cancel | undefined;
  #cancelTryTimeout: Cancel | undefined;
  #cancelBackoff: Cancel | undefined;
  #headSent = false;
  #over = false;

  constructor(
    exchange: Exchange,
    downstream: ServerStream,
    selection: ForwardSelection,
    services: { readonly scheduler: Scheduler; readonly random: Random },
    events: ForwardingEvents,
  ) {
    this.#exchange = exchange;
    this.#downstream = downstream;
    this.#selection = selection;
    this.#action = selection.action;
    this.#scheduler = services.scheduler;
    this.#random = services.random;
    this.#events = events;
    this.#retriesLeft = selection.action.retry.retries;
  }

  start(): void {
    const { cluster } = this.#selection;
    if (!cluster.enter()) {
      this.#over = true;
      this.#events.onError(
        "upstream_overflow",
        `${cluster.config.service.name} has too many requests under way.`,
      );
      return;
    }
    const { hasBody, contentLength, headers } = this.#exchange.request;
    // The codec writes `upgrade`, from the head.
    headers.remove("upgrade");
    // Envoy's rule: the timeout starts when the request has fully arrived, so that slow uploads are not
    // counted against the upstream.
    if (!hasBody) this.#startTimeout();
    else if (this.#retriesLeft > 0 && contentLength !== undefined && contentLength <= REPLAY_LIMIT_BYTES) {
      const buffer = new RequestBuffer(this.#exchange, (body) => {
        this.#startTimeout();
        this.#wholeBody = body;
        if (!this.#over) this.#try();
      });
      this.#downstream.read(buffer);
      return;
    }
    this.#try();
  }

  /** Continues the response body, when the downstream is writable again. */
  resume(): void {
    this.#stream?.resume();
  }

  /** Cancels the forwarding, because the downstream is gone or got another reply. Idempotent. */
  cancel(): void {
    if (this.#over) return;
    this.#resetTry();
    this.#finish();
  }

  onInformational(head: ResponseHead): void {
    removeHopByHop(head.headers);
    this.#downstream.sendInformational(head);
  }

  onHead(head: ResponseHead): void {
    this.#cancelTryTimeout?.();
    const { status, headers } = head;
    const grpcStatus = headers.get("grpc-status");
    const outcome: TryOutcome = {
      kind: "response",
      status,
      ...(grpcStatus === undefined ? {} : { grpcStatus: Number(grpcStatus) }),
    };
    if (this.#retry(outcome)) return;
    removeHopByHop(headers);
    // A 204 has no content-length (RFC 9110, section 8.6).
    if (status === 204) headers.remove("content-length");
    this.#exchange.details = "via_upstream";
    this.#headSent = true;
    this.#exchange.upgraded = status === 101;
    this.#events.onHead(head);
    if (status === 101) this.#startTunnel();
  }

  onData(chunk: Uint8Array): void {
    this.#exchange.responseBytes += chunk.byteLength;
    if (!this.#downstream.write(chunk)) this.#stream?.pause();
  }

  onEnd(trailers: HeaderList | undefined): void {
    // A half-close: the client may go on sending until its own side is closed.
    if (this.#exchange.upgraded) return this.#downstream.end();
    this.#endTry();
    this.#finish();
    if (trailers !== undefined) this.#events.onResponseTrailers(trailers);
    this.#downstream.end(trailers);
  }

  onWritable(): void {
    this.#downstream.resume();
  }

  onReset({ reason, connectionReused, detail }: StreamReset): void {
    this.#cancelTryTimeout?.();
    this.#endTry(reason);
    if (this.#headSent) return this.#breakOff("UC", "upstream_reset_after_response_started");
    if (reason === "connection-termination" && connectionReused && this.#retryStale()) return;
    const outcome = tryOutcomeOf(reason);
    if (outcome !== undefined && this.#retry(outcome)) return;
    const { address, port } = this.#tried.at(-1)?.endpoint ?? { address: "?", port: 0 };
    const service = this.#selection.cluster.config.service.name;
    this.#exchange.upstreamFailure = `${address}:${port}: ${detail}`;
    const answer = errorReplyOf(reason, service);
    this.#fail(answer.kind, answer.detail);
  }

  #try(): void {
    const { cluster, endpoints } = this.#selection;
    const target = endpoints.pick(this.#tried);
    if (target === undefined) {
      return this.#fail("no_healthy_upstream", `${cluster.config.service.name} has no endpoint.`);
    }
    this.#tried.push(target);
    this.#exchange.endpoint = target.endpoint;
    this.#exchange.tries++;
    if (this.#action.retry.perTryTimeoutMs > 0) {
      this.#cancelTryTimeout = this.#scheduler.after(this.#action.retry.perTryTimeoutMs, () =>
        this.#onTryTimeout(),
      );
    }
    const { method, path, query, headers, hasBody, contentLength, upgrade } = this.#exchange.request;
    const head = {
      method,
      target: path + query,
      headers,
      httpVersion: "1.1",
      hasBody,
      contentLength,
      upgrade,
    };
    const stream = target.upstream.open(head, this, this.#wholeBody);
    this.#stream = stream;
    if (hasBody && this.#wholeBody === undefined) this.#downstream.read(this.#relayTo(stream));
  }

  #relayTo(stream: ClientStream): RequestRelay {
    return new RequestRelay(this.#exchange, this.#downstream, stream, (trailers) => {
      this.#startTimeout();
      if (trailers !== undefined) this.#events.onRequestTrailers(trailers);
    });
  }

  /** After an upgrade, bytes go both ways until either side closes; only the idle limit bounds the time. */
  #startTunnel(): void {
    this.#cancelTimeout?.();
    if (this.#stream === undefined) return;
    const relay = new RequestRelay(this.#exchange, this.#downstream, this.#stream, () => {});
    this.#downstream.read(relay);
  }

  /** Starts a retry if the route allows one. Returns whether it did. */
  #retry(outcome: TryOutcome): boolean {
    const { method } = this.#exchange.request;
    if (!this.#canSendAgain || !isRetriable(outcome, this.#action.retry, method)) return false;
    if (this.#retriesLeft === 0) {
      if (this.#action.retry.retries > 0) this.#exchange.flag("URX");
      return false;
    }
    this.#retriesLeft--;
    this.#resetTry();
    const retry = this.#action.retry.retries - this.#retriesLeft;
    this.#cancelBackoff = this.#scheduler.after(retryPauseMs(retry, this.#action.retry, this.#random), () =>
      this.#try(),
    );
    return true;
  }

  /**
   * An upstream may close an idle connection just when a request is sent on it. An idempotent request is then
   * sent again at once, whatever the route's retry policy (RFC 9112, section 9.3.1).
   */
  #retryStale(): boolean {
    const { hasBody, method } = this.#exchange.request;
    if (hasBody || !isIdempotent(method) || !this.#staleRetryLeft) return false;
    this.#staleRetryLeft = false;
    this.#tried.pop();
    this.#try();
    return true;
  }

  /** A body that is streamed can be sent only once. */
  get #canSendAgain(): boolean {
    return !this.#exchange.request.hasBody || this.#wholeBody !== undefined;
  }

  #startTimeout(): void {
    if (this.#over || this.#action.timeoutMs === 0) return;
    this.#cancelTimeout = this.#scheduler.after(this.#action.timeoutMs, () => {
      this.#resetTry();
      if (this.#headSent) return this.#breakOff("UT", "response_timeout");
      this.#fail(
        "upstream_timeout",
        `${this.#selection.cluster.config.service.name} did not answer in time.`,
      );
    });
  }

  #onTryTimeout(): void {
    this.#resetTry();
    if (this.#retry({ kind: "per-try-timeout" })) return;
    this.#fail("upstream_timeout", `${this.#selection.cluster.config.service.name} did not answer in time.`);
  }

  #fail(kind: ErrorKind, detail: string): void {
    this.#finish();
    this.#events.onError(kind, detail);
  }

  #breakOff(flag: ResponseFlag, details: string): void {
    this.#finish();
    this.#events.onBroken(flag, details);
  }

  #resetTry(): void {
    this.#stream?.reset();
    this.#endTry("local-reset");
  }

  #endTry(reason?: ResetReason): void {
    if (this.#stream === undefined) return;
    this.#stream = undefined;
    this.#tried.at(-1)?.upstream.closed(reason);
  }

  #finish(): void {
    this.#over = true;
    this.#cancelTimeout?.();
    this.#cancelTryTimeout?.();
    this.#cancelBackoff?.();
    this.#selection.cluster.leave();
  }
}
