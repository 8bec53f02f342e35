// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Random } from "../../kernel/ports.ts";
import { type TimerOwner, type TimerWheel, WheelTimer } from "../../kernel/timer-wheel.ts";
import {
  isIdempotent,
  isPlainSuccess,
  isRetriable,
  retryPauseMs,
  type TryOutcome,
} from "../../core/traffic/retry.ts";
import type { HashSource } from "../../core/traffic/resources/load-balancer.ts";
import type { Exchange, RouteSelection } from "../exchange/exchange.ts";
import type { ErrorKind, ResponseFlag } from "../exchange/local-reply.ts";
import type { BodyReceiver } from "../transport/contract/body.ts";
import type { ClientStream } from "../transport/contract/client.ts";
import type { ResponseHead } from "../transport/contract/head.ts";
import type { HeaderList } from "../transport/contract/header-list.ts";
import type { ResetCause, ResetReason, StreamReset } from "../transport/contract/reset.ts";
import type { ServerStream } from "../transport/contract/server.ts";
import { removeHopByHop } from "../transport/fields/hop-by-hop.ts";
import type { ClusterEndpoint } from "../upstream/endpoint-set.ts";
import { EarlierTries, HedgedTry, type HedgedTries } from "./hedged-try.ts";
import type { PendingMirrors } from "./mirroring.ts";
import { affinityOf, type RequestAffinity } from "../exchange/request-affinity.ts";
import { noEndpointReply } from "./no-endpoint.ts";
import { errorReplyOf, isEndpointsFault, tryOutcomeOf } from "./reset-meaning.ts";
import { outlierStatusOf, responseOutcome } from "./response-outcome.ts";
import { requestTimeoutMs } from "./request-timeout.ts";
import { RequestBuffer, type RequestEvents, RequestRelay } from "./request-relay.ts";

/** Maximum size of a body that is buffered, so that it can be sent again. */
const REPLAY_LIMIT_BYTES = 64 * 1024;

type ForwardSelection = Extract<RouteSelection, { readonly kind: "forward" }>;

const NONE_TRIED: readonly ClusterEndpoint[] = [];

/**
 * Events of the forwarding. The response's body is not among them: Forwarding streams it downstream itself.
 */
export interface ForwardingEvents {
  onHead(head: ResponseHead): void;
  /** Called with the trailers before they are sent. */
  onRequestTrailers(trailers: HeaderList): void;
  onResponseTrailers(trailers: HeaderList): void;
  /** The request failed before a response began. */
  onError(kind: ErrorKind, detail: string): void;
  /** The response has begun and cannot be completed; `cause` is the upstream's. */
  onBroken(flag: ResponseFlag, details: string, cause?: ResetCause): void;
}

/**
 * Sends one request upstream: picks an endpoint, retries according to the route, and streams the response
 * back. Never retries once a response head has gone downstream, nor with a body that is not buffered.
 */
export class Forwarding implements HedgedTries, RequestEvents, TimerOwner {
  readonly #exchange: Exchange;
  readonly #downstream: ServerStream;
  readonly #selection: ForwardSelection;
  readonly #action: ForwardSelection["action"];
  readonly #timers: TimerWheel;
  readonly #random: Random;
  readonly #events: ForwardingEvents;
  /** Copies of the request that wait for its body. */
  readonly #mirrors: PendingMirrors | undefined;

  /** The endpoint of the current try. */
  #target: ClusterEndpoint | undefined;
  /** The endpoints of failed tries. */
  #tried: readonly ClusterEndpoint[] = NONE_TRIED;
  /** Hash of the request's value, and its cookie; undefined without consistent hashing. */
  #affinity: RequestAffinity | undefined;
  /** The upstream stream of the current try. */
  #stream: ClientStream | undefined;
  /** The current try of a request that may be hedged; undefined for any other request. */
  #hedged: HedgedTry | undefined;
  /** Tries whose timeout has passed, and which may still win. */
  #earlierTries: EarlierTries | undefined;
  /** The whole body, if it was buffered so that it can be sent again. */
  #wholeBody: Uint8Array | undefined;
  #retriesLeft: number;
  #staleRetryLeft = true;
  /** Whether the current try counts as a retry that is under way. */
  #isRetry = false;
  /** The route's timeout. */
  readonly #timeout = new WheelTimer(this);
  /** The timeout of the current try. */
  #tryTimeout: WheelTimer | undefined;
  /** The pause before the next try. */
  #pause: WheelTimer | undefined;
  #headSent = false;
  #over = false;

  constructor(
    exchange: Exchange,
    downstream: ServerStream,
    selection: ForwardSelection,
    services: { readonly timers: TimerWheel; readonly random: Random },
    events: ForwardingEvents,
    mirrors?: PendingMirrors,
  ) {
    this.#exchange = exchange;
    this.#downstream = downstream;
    this.#selection = selection;
    this.#action = selection.action;
    this.#timers = services.timers;
    this.#random = services.random;
    this.#events = events;
    this.#mirrors = mirrors;
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
    const { hasBody, headers } = this.#exchange.request;
    // As the client declares it: the body that is sent may be decoded, and is then shorter.
    const { contentLength } = this.#downstream.head;
    // The codec writes `upgrade`, from the head.
    headers.remove("upgrade");
    // Envoy's rule: the timeout starts when the request has fully arrived, so that slow uploads are not
    // counted against the upstream.
    if (!hasBody) this.#startTimeout();
    else if (
      this.#retriesLeft > 0 &&
      contentLength !== undefined &&
      contentLength <= REPLAY_LIMIT_BYTES &&
      // A client that waits for the upstream's 100 Continue sends no body before the request has gone there.
      !headers.has("expect")
    ) {
      this.#read(new RequestBuffer(this.#exchange, this));
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

  onTimer(timer: WheelTimer): void {
    if (timer === this.#timeout) this.#onTimeout();
    else if (timer === this.#tryTimeout) this.#onTryTimeout();
    else this.#try();
  }

  /** The whole body was buffered. */
  onRequestBuffered(body: Uint8Array): void {
    this.#startTimeout();
    this.#wholeBody = body;
    if (!this.#over) this.#try();
  }

  /** The whole body was relayed; called before its trailers are sent. */
  onRequestEnd(trailers: HeaderList | undefined): void {
    // The end of an upgraded connection's bytes is a half-close.
    if (this.#exchange.upgraded) return;
    this.#startTimeout();
    if (trailers !== undefined) this.#events.onRequestTrailers(trailers);
  }

  onInformational(head: ResponseHead): void {
    removeHopByHop(head.headers);
    this.#downstream.sendInformational(head);
  }

  onHead(head: ResponseHead): void {
    this.#endTryTimeout();
    const { status, headers } = head;
    const monitor = this.#target?.upstream.monitor;
    if (monitor !== undefined) monitor.onResponse(outlierStatusOf(status, headers.get("grpc-status")));
    if (this.#action.retry.retries > 0) {
      const grpcStatus = headers.get("grpc-status");
      if (!isPlainSuccess(status, grpcStatus, this.#action.retry) && this.#retry(responseOutcome(head)))
        return;
    }
    this.#deliver(head);
  }

  /** Of the tries that are under way, the first whose response is not to be retried wins. */
  onTryHead(attempt: HedgedTry, head: ResponseHead): void {
    attempt.target.upstream.monitor?.onResponse(
      outlierStatusOf(head.status, head.headers.get("grpc-status")),
    );
    const outcome = responseOutcome(head);
    const isBad = isRetriable(outcome, this.#action.retry, this.#exchange.request.method);
    if (isBad && this.#lose(attempt, outcome)) return;
    this.#win(attempt);
    this.#deliver(head);
  }

  onTryReset(attempt: HedgedTry, reset: StreamReset): void {
    if (this.#isLast(attempt)) {
      this.#win(attempt);
      return this.onReset(reset);
    }
    if (isEndpointsFault(reset.reason)) attempt.target.upstream.monitor?.onLocalOriginFailure(503);
    this.#lose(attempt, tryOutcomeOf(reset.reason), reset.reason);
  }

  /**
   * Ends a try that failed: with another try if it is the current one, else silently while there is another one.
   *
   * @param outcome Undefined for a failure after which there is no other try.
   * @param resetReason Reason for which the upstream reset the stream; undefined for a stream that is to be reset.
   * @returns False when no other try is under way or begins: the failure is the request's own.
   */
  #lose(attempt: HedgedTry, outcome: TryOutcome | undefined, resetReason?: ResetReason): boolean {
    const isCurrent = attempt === this.#hedged && this.#stream !== undefined;
    const isLast = this.#isLast(attempt);
    if (!isCurrent) {
      if (!isLast) {
        this.#earlierTries?.drop(attempt, resetReason);
        return true;
      }
      this.#win(attempt);
    }
    this.#endTryTimeout();
    if (resetReason !== undefined) this.#endTry(resetReason);
    // A used-up number of retries is no fault of the request while another try may answer.
    if (outcome !== undefined && (isLast || this.#retriesLeft > 0) && this.#retry(outcome)) return true;
    if (isLast) return false;
    this.#resetTry();
    if (this.#isRetry) this.#leaveRetry();
    return true;
  }

  /** Whether no other try is under way or about to begin. */
  #isLast(attempt: HedgedTry): boolean {
    const current = attempt === this.#hedged ? undefined : this.#stream;
    const others = this.#earlierTries?.countBeside(attempt) ?? 0;
    return others === 0 && current === undefined && this.#pause?.isStarted !== true;
  }

  /** Makes the try the only one, and resets all others. */
  #win(attempt: HedgedTry): void {
    attempt.hasWon = true;
    if (attempt !== this.#hedged || this.#stream === undefined) {
      this.#earlierTries?.remove(attempt);
      if (this.#pause !== undefined) this.#timers.cancel(this.#pause);
      this.#resetTry();
      if (this.#isRetry) this.#leaveRetry();
      this.#isRetry = attempt.isRetry;
      this.#hedged = attempt;
      this.#stream = attempt.stream;
      this.#target = attempt.target;
      this.#exchange.endpoint = attempt.target;
    }
    this.#endTryTimeout();
    this.#earlierTries?.dropAll();
  }

  /** The response goes downstream: no other try follows. */
  #deliver(head: ResponseHead): void {
    const { status, headers } = head;
    removeHopByHop(headers);
    if (this.#affinity?.setCookie !== undefined) headers.append("set-cookie", this.#affinity.setCookie);
    // A 204 has no content-length (RFC 9110, section 8.6).
    if (status === 204) headers.remove("content-length");
    if (this.#isRetry) this.#leaveRetry();
    this.#exchange.details = "via_upstream";
    this.#headSent = true;
    this.#exchange.upgraded = status === 101;
    this.#events.onHead(head);
    if (status === 101) this.#startTunnel();
  }

  onData(chunk: Uint8Array): void {
    this.#exchange.responseBytes += chunk.byteLength;
    this.#exchange.bodyReader?.add(chunk);
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

  onReset({ reason, cause, connectionReused, detail }: StreamReset): void {
    this.#endTryTimeout();
    this.#endTry(reason);
    if (!this.#headSent && reason === "connection-termination" && connectionReused && this.#retryStale())
      return;
    if (isEndpointsFault(reason)) this.#target?.upstream.monitor?.onLocalOriginFailure(503);
    if (this.#headSent) return this.#breakOff("UC", "upstream_reset_after_response_started", cause);
    const outcome = tryOutcomeOf(reason);
    if (outcome !== undefined && this.#retry(outcome)) return;
    this.#exchange.upstreamFailure = `${this.#target?.addressText}: ${detail}`;
    const answer = errorReplyOf(reason, this.#selection.cluster.config.service.name);
    this.#fail(answer.kind, answer.detail);
  }

  #try(): void {
    const { cluster, endpoints } = this.#selection;
    if (this.#target !== undefined && this.#action.retry.mayRepeatEndpoints !== true)
      this.#tried = [...this.#tried, this.#target];
    const target = endpoints.pick(this.#tried, this.#hash(cluster.hashOn));
    this.#target = target;
    if (target === undefined) {
      // An earlier try may still answer.
      if ((this.#earlierTries?.size ?? 0) > 0) return this.#leaveRetry();
      const answer = noEndpointReply(cluster.config, endpoints.endpoints.length);
      return this.#fail(answer.kind, answer.detail);
    }
    this.#exchange.endpoint = target;
    this.#exchange.tries++;
    if (this.#action.retry.perTryTimeoutMs > 0) {
      this.#tryTimeout ??= new WheelTimer(this);
      this.#timers.start(this.#tryTimeout, this.#action.retry.perTryTimeoutMs);
    }
    const { method, path, query, headers, hasBody, contentLength, upgrade } = this.#exchange.request;
    const head = {
      method,
      target: query === "" ? path : path + query,
      headers,
      httpVersion: "1.1",
      hasBody,
      contentLength,
      upgrade,
    };
    // The latency of a hedged request begins with its first try.
    if (this.#earlierTries === undefined) this.#exchange.place?.sent();
    const hedged = this.#mayHedge ? new HedgedTry(this, target, this.#isRetry) : undefined;
    const stream = target.upstream.open(head, hedged ?? this, this.#wholeBody, this.#exchange.connection);
    this.#stream = stream;
    this.#hedged = hedged;
    if (hedged !== undefined) hedged.stream = stream;
    if (hasBody && this.#wholeBody === undefined) this.#relayTo(stream);
  }

  /** Hash of the request's value, the same for every try. */
  #hash(hashOn: HashSource | undefined): number | undefined {
    if (hashOn === undefined) return undefined;
    this.#affinity ??= affinityOf(hashOn, this.#exchange);
    return this.#affinity.hash;
  }

  #relayTo(stream: ClientStream): void {
    this.#read(new RequestRelay(this.#exchange, this.#downstream, stream, this));
  }

  #read(receiver: BodyReceiver): void {
    this.#downstream.read(this.#mirrors === undefined ? receiver : this.#mirrors.copying(receiver));
  }

  /** After an upgrade, bytes go both ways until either side closes; only the idle limit bounds the time. */
  #startTunnel(): void {
    this.#timers.cancel(this.#timeout);
    if (this.#stream !== undefined) this.#relayTo(this.#stream);
  }

  /** Starts a retry if the route allows one. Returns whether it did. */
  #retry(outcome: TryOutcome): boolean {
    const { method } = this.#exchange.request;
    if (this.#isRetry) this.#leaveRetry();
    if (!this.#canSendAgain || !isRetriable(outcome, this.#action.retry, method)) return false;
    if (this.#retriesLeft === 0) {
      if (this.#action.retry.retries > 0) this.#exchange.flag("URX");
      return false;
    }
    this.#retriesLeft--;
    if (!this.#selection.cluster.enterRetry()) {
      this.#exchange.flag("UO");
      return false;
    }
    this.#isRetry = true;
    this.#resetTry();
    this.#startPause();
    return true;
  }

  #startPause(): void {
    const retry = this.#action.retry.retries - this.#retriesLeft;
    this.#pause ??= new WheelTimer(this);
    this.#timers.start(this.#pause, retryPauseMs(retry, this.#action.retry, this.#random));
  }

  /**
   * An upstream may close an idle connection just when a request is sent on it. An idempotent request is then
   * sent again at once, whatever the route's retry policy (RFC 9112, section 9.3.1).
   */
  #retryStale(): boolean {
    const { hasBody, method } = this.#exchange.request;
    if (hasBody || !isIdempotent(method) || !this.#staleRetryLeft) return false;
    this.#staleRetryLeft = false;
    this.#target = undefined;
    this.#try();
    return true;
  }

  /** Whether a second try may begin beside the first: the request can be sent again, and does no harm twice. */
  get #mayHedge(): boolean {
    const { retry } = this.#action;
    if (retry.hedgeOnTryTimeout !== true || !this.#canSendAgain) return false;
    const { method, upgrade } = this.#exchange.request;
    return upgrade === undefined && (!retry.idempotentOnly || isIdempotent(method));
  }

  /**
   * Starts another try beside the current one, as Envoy's `hedge_on_per_try_timeout`: whatever the retry conditions, while
   * there are retries left. Otherwise the current try goes on until the route's timeout.
   */
  #hedge(current: HedgedTry): void {
    if (this.#retriesLeft === 0) return;
    this.#retriesLeft--;
    if (!this.#selection.cluster.enterRetry()) return this.#exchange.flag("UO");
    this.#earlierTries ??= new EarlierTries(this.#selection.cluster);
    this.#earlierTries.add(current);
    this.#stream = undefined;
    this.#isRetry = true;
    this.#startPause();
  }

  /** A body that is streamed can be sent only once. */
  get #canSendAgain(): boolean {
    return !this.#exchange.request.hasBody || this.#wholeBody !== undefined;
  }

  #startTimeout(): void {
    if (this.#over) return;
    const timeoutMs = requestTimeoutMs(this.#exchange, this.#action.timeoutMs);
    if (timeoutMs > 0) this.#timers.start(this.#timeout, timeoutMs);
  }

  #leaveRetry(): void {
    this.#isRetry = false;
    this.#selection.cluster.leaveRetry();
  }

  #onTimeout(): void {
    // Once the response has begun, or in the pause before a retry, no endpoint is at fault.
    if (this.#stream !== undefined && !this.#headSent)
      this.#target?.upstream.monitor?.onLocalOriginFailure(504);
    this.#resetTry();
    if (this.#headSent) return this.#breakOff("UT", "response_timeout");
    this.#fail("upstream_timeout", `${this.#selection.cluster.config.service.name} did not answer in time.`);
  }

  #onTryTimeout(): void {
    this.#target?.upstream.monitor?.onLocalOriginFailure(504);
    if (this.#hedged !== undefined) return this.#hedge(this.#hedged);
    this.#resetTry();
    if (this.#retry({ kind: "per-try-timeout" })) return;
    this.#fail("upstream_timeout", `${this.#selection.cluster.config.service.name} did not answer in time.`);
  }

  #fail(kind: ErrorKind, detail: string): void {
    this.#finish();
    this.#events.onError(kind, detail);
  }

  #breakOff(flag: ResponseFlag, details: string, cause?: ResetCause): void {
    this.#finish();
    this.#events.onBroken(flag, details, cause);
  }

  #resetTry(): void {
    this.#stream?.reset();
    this.#endTry("local-reset");
  }

  #endTry(reason?: ResetReason): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    this.#stream = undefined;
    this.#target?.upstream.closed(stream, reason);
  }

  #endTryTimeout(): void {
    if (this.#tryTimeout !== undefined) this.#timers.cancel(this.#tryTimeout);
  }

  #finish(): void {
    this.#over = true;
    this.#timers.cancel(this.#timeout);
    this.#endTryTimeout();
    if (this.#pause !== undefined) this.#timers.cancel(this.#pause);
    if (this.#isRetry) this.#leaveRetry();
    this.#earlierTries?.dropAll();
    this.#selection.cluster.leave();
  }
}
