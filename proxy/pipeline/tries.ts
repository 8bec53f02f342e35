// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Random } from "../../kernel/ports.ts";
import { type TimerOwner, type TimerWheel, WheelTimer } from "../../kernel/timer-wheel.ts";
import {
  isPlainSuccess,
  isRepeatable,
  isRetriable,
  retryPauseMs,
  type TryOutcome,
} from "../../core/traffic/retry.ts";
import type { HashSource } from "../../core/traffic/resources/load-balancer.ts";
import type { Exchange, RouteSelection } from "../exchange/exchange.ts";
import type { ErrorKind } from "../exchange/local-reply.ts";
import { affinityOf, type RequestAffinity } from "../exchange/request-affinity.ts";
import type { ClientStream } from "../transport/contract/client.ts";
import type { ResponseHead } from "../transport/contract/head.ts";
import type { HeaderList } from "../transport/contract/header-list.ts";
import type { ResetCause, ResetReason, StreamReset } from "../transport/contract/reset.ts";
import type { ClusterEndpoint } from "../upstream/endpoint-set.ts";
import { EarlierTries, HedgedTry, type HedgedTries, mayHedge } from "./hedged-try.ts";
import { noEndpointReply } from "./no-endpoint.ts";
import { errorReplyOf, isEndpointsFault, tryOutcomeOf } from "./reset-meaning.ts";
import { outlierStatusOf, responseOutcome } from "./response-outcome.ts";

export type ForwardSelection = Extract<RouteSelection, { readonly kind: "forward" }>;

const NONE_TRIED: readonly ClusterEndpoint[] = [];

/** Receives the response of the try that is not followed by another one, or learns that there is none. */
export interface TriesEvents {
  onInformational(head: ResponseHead): void;
  /** The response goes downstream: no other try follows. */
  onResponse(head: ResponseHead): void;
  onData(chunk: Uint8Array): void;
  onEnd(trailers: HeaderList | undefined): void;
  /** The upstream takes more of the request's body. */
  onWritable(): void;
  /** The response has begun, and its upstream reset it. */
  onCutOff(cause: ResetCause | undefined): void;
  /** The last try failed before a response. */
  onFailed(kind: ErrorKind, detail: string): void;
}

/**
 * The tries of one request: picks an endpoint for each, retries according to the route, and hedges. Never tries again
 * once a response head has gone downstream, nor with a body that is not buffered.
 */
export class Tries implements HedgedTries, TimerOwner {
  readonly #exchange: Exchange;
  readonly #selection: ForwardSelection;
  readonly #action: ForwardSelection["action"];
  readonly #timers: TimerWheel;
  readonly #random: Random;
  readonly #events: TriesEvents;

  /** The endpoint of the current try. */
  #target: ClusterEndpoint | undefined = undefined;
  /** The endpoints of failed tries. */
  #tried: readonly ClusterEndpoint[] = NONE_TRIED;
  /** Hash of the request's value, and its cookie; undefined without consistent hashing. */
  #affinity: RequestAffinity | undefined = undefined;
  /** The upstream stream of the current try. */
  #stream: ClientStream | undefined = undefined;
  /** The current try of a request that may be hedged; undefined for any other request. */
  #hedged: HedgedTry | undefined = undefined;
  /** Tries whose timeout has passed, and which may still win. */
  #earlierTries: EarlierTries | undefined = undefined;
  /** The whole body, if it was buffered so that it can be sent again. */
  #wholeBody: Uint8Array | undefined = undefined;
  #retriesLeft: number;
  #staleRetryLeft = true;
  /** Whether the current try counts as a retry that is under way. */
  #isRetry = false;
  /** The timeout of the current try. */
  #tryTimeout: WheelTimer | undefined = undefined;
  /** The pause before the next try. */
  #pause: WheelTimer | undefined = undefined;
  #hasResponse = false;

  constructor(
    exchange: Exchange,
    selection: ForwardSelection,
    services: { readonly timers: TimerWheel; readonly random: Random },
    events: TriesEvents,
  ) {
    this.#exchange = exchange;
    this.#selection = selection;
    this.#action = selection.action;
    this.#timers = services.timers;
    this.#random = services.random;
    this.#events = events;
    this.#retriesLeft = selection.action.retry.retries;
  }

  /** The upstream stream of the current try; undefined between two tries, and after the last. */
  get stream(): ClientStream | undefined {
    return this.#stream;
  }

  /** The cookie that keeps the client at its endpoint, to be set by the response. */
  get setCookie(): string | undefined {
    return this.#affinity?.setCookie;
  }

  /** @param wholeBody The request's body; undefined without one, and for one that is sent on the stream as it comes. */
  begin(wholeBody: Uint8Array | undefined): void {
    this.#wholeBody = wholeBody;
    this.#try();
  }

  /**
   * A body that is sent as it comes has ended. Only now the timeout of the try begins, as in Envoy: a slow upload is not the
   * endpoint's fault.
   */
  onBodySent(): void {
    if (this.#stream !== undefined && !this.#hasResponse) this.#startTryTimeout();
  }

  /** Resets the current try, because the route's timeout has passed. */
  timeOut(): void {
    // Once the response has begun, or in the pause before a retry, no endpoint is at fault.
    if (this.#stream !== undefined && !this.#hasResponse)
      this.#target?.upstream.monitor?.onLocalOriginFailure(504);
    this.reset();
  }

  /** Resets the current try. */
  reset(): void {
    this.#stream?.reset();
    this.#endTry("local-reset");
  }

  /** Drops the other tries, and gives back what the request holds: no further try begins. */
  finish(): void {
    this.#endTryTimeout();
    if (this.#pause !== undefined) this.#timers.cancel(this.#pause);
    if (this.#isRetry) this.#leaveRetry();
    this.#earlierTries?.dropAll();
  }

  onTimer(timer: WheelTimer): void {
    if (timer === this.#tryTimeout) this.#onTryTimeout();
    else this.#try();
  }

  onInformational(head: ResponseHead): void {
    this.#events.onInformational(head);
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
    this.reset();
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
      this.reset();
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

  #deliver(head: ResponseHead): void {
    if (this.#isRetry) this.#leaveRetry();
    this.#hasResponse = true;
    this.#events.onResponse(head);
  }

  onData(chunk: Uint8Array): void {
    this.#events.onData(chunk);
  }

  onEnd(trailers: HeaderList | undefined): void {
    // The end of an upgraded connection's bytes is a half-close: the stream goes on in the other direction.
    if (!this.#exchange.upgraded) this.#endTry();
    this.#events.onEnd(trailers);
  }

  onWritable(): void {
    this.#events.onWritable();
  }

  onReset({ reason, cause, connectionReused, detail }: StreamReset): void {
    this.#endTryTimeout();
    this.#endTry(reason);
    if (!this.#hasResponse && reason === "connection-termination" && connectionReused && this.#retryStale())
      return;
    if (isEndpointsFault(reason)) this.#target?.upstream.monitor?.onLocalOriginFailure(503);
    if (this.#hasResponse) return this.#events.onCutOff(cause);
    const outcome = tryOutcomeOf(reason);
    if (outcome !== undefined && this.#retry(outcome)) return;
    this.#exchange.upstreamFailure = `${this.#target?.addressText}: ${detail}`;
    const answer = errorReplyOf(reason, this.#selection.cluster.config.service.name);
    this.#events.onFailed(answer.kind, answer.detail);
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
      return this.#events.onFailed(answer.kind, answer.detail);
    }
    this.#exchange.endpoint = target;
    this.#exchange.tries++;
    if (this.#canSendAgain) this.#startTryTimeout();
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
    const hedged =
      this.#canSendAgain && mayHedge(this.#action.retry, this.#exchange.request)
        ? new HedgedTry(this, target, this.#isRetry)
        : undefined;
    const stream = target.upstream.open(head, hedged ?? this, this.#wholeBody, this.#exchange.connection);
    this.#stream = stream;
    this.#hedged = hedged;
    if (hedged !== undefined) hedged.stream = stream;
  }

  /** Hash of the request's value, the same for every try. */
  #hash(hashOn: HashSource | undefined): number | undefined {
    if (hashOn === undefined) return undefined;
    this.#affinity ??= affinityOf(hashOn, this.#exchange);
    return this.#affinity.hash;
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
    this.reset();
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
    if (!isRepeatable(method, hasBody) || !this.#staleRetryLeft) return false;
    this.#staleRetryLeft = false;
    this.#target = undefined;
    this.#try();
    return true;
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

  #leaveRetry(): void {
    this.#isRetry = false;
    this.#selection.cluster.leaveRetry();
  }

  #onTryTimeout(): void {
    this.#target?.upstream.monitor?.onLocalOriginFailure(504);
    if (this.#hedged !== undefined) return this.#hedge(this.#hedged);
    this.reset();
    if (this.#retry({ kind: "per-try-timeout" })) return;
    this.#events.onFailed(
      "upstream_timeout",
      `${this.#selection.cluster.config.service.name} did not answer in time.`,
    );
  }

  #endTry(reason?: ResetReason): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    this.#stream = undefined;
    this.#target?.upstream.closed(stream, reason);
  }

  #startTryTimeout(): void {
    const { perTryTimeoutMs } = this.#action.retry;
    if (perTryTimeoutMs === 0) return;
    this.#tryTimeout ??= new WheelTimer(this);
    this.#timers.start(this.#tryTimeout, perTryTimeoutMs);
  }

  #endTryTimeout(): void {
    if (this.#tryTimeout !== undefined) this.#timers.cancel(this.#tryTimeout);
  }
}
