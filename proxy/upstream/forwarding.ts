// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Cancel, Random, Scheduler } from "../../kernel/ports.ts";
import { isIdempotent, isRetriable, retryPauseMs, type TryOutcome } from "../../core/traffic/retry.ts";
import type { Exchange, ResponseHead, RouteSelection } from "../exchange.ts";
import type { HeaderList } from "../transport/http1/header-list.ts";
import { removeHopByHop } from "../transport/http1/hop-by-hop.ts";
import type { Downstream } from "../listeners/downstream.ts";
import type { FaultKind, ResponseFlag } from "../local-reply.ts";
import type { ClusterEndpoint } from "./endpoint-set.ts";
import type { UpstreamCall, UpstreamFailure, UpstreamReceiver } from "./upstream.ts";

/** A body may be sent again when it is at hand whole, and at most this large. */
const REPLAY_LIMIT_BYTES = 64 * 1024;

type ForwardSelection = Extract<RouteSelection, { readonly kind: "forward" }>;

/** What the forwarding tells before it streams the response, or instead. */
interface ForwardingEvents {
  onHead(head: ResponseHead): void;
  /** No response has begun. */
  onFault(kind: FaultKind, detail: string): void;
  /** The response has begun and cannot be finished. */
  onBroken(flag: ResponseFlag, details: string): void;
}

/**
 * Sends one request upstream: picks an endpoint, tries, tries again as the route says, and streams the response back. Never
 * tries again once a response head has gone downstream, and never with a body that is not at hand.
 */
export class Forwarding implements UpstreamReceiver {
  readonly #exchange: Exchange;
  readonly #downstream: Downstream;
  readonly #selection: ForwardSelection;
  readonly #action: ForwardSelection["action"];
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #events: ForwardingEvents;

  readonly #tried: ClusterEndpoint[] = [];
  #call: UpstreamCall | undefined;
  /** Undefined: a stream, which can be sent once. */
  #replayableBody: Buffer | null | undefined;
  #retriesLeft: number;
  #staleRetryLeft = true;
  #cancelTimeout: Cancel | undefined;
  #cancelTryTimeout: Cancel | undefined;
  #cancelBackoff: Cancel | undefined;
  #headSent = false;
  #over = false;

  constructor(
    exchange: Exchange,
    downstream: Downstream,
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
      this.#events.onFault(
        "upstream_overflow",
        `${cluster.config.service.name} has too many requests under way.`,
      );
      return;
    }
    // Envoy's rule: the time begins when the request has fully arrived, so that a slow upload is not the upstream's fault.
    if (this.#action.timeoutMs > 0) this.#downstream.onceReceived(() => this.#startTimeout());
    this.#downstream.onDrain(() => this.#call?.resume());
    const { contentLength } = this.#exchange.request;
    if (!this.#downstream.hasBody) this.#replayableBody = null;
    else if (this.#retriesLeft > 0 && contentLength !== undefined && contentLength <= REPLAY_LIMIT_BYTES) {
      this.#downstream.readBody((body) => {
        this.#replayableBody = body;
        if (!this.#over) this.#try();
      });
      return;
    }
    this.#try();
  }

  /** The downstream is gone, or somebody else answers. Safe to call at any time. */
  cancel(): void {
    if (this.#over) return;
    this.#call?.cancel();
    this.#finish();
  }

  onHead(status: number, headers: HeaderList): void {
    this.#cancelTryTimeout?.();
    const grpcStatus = headers.get("grpc-status");
    const outcome: TryOutcome = {
      kind: "response",
      status,
      ...(grpcStatus === undefined ? {} : { grpcStatus: Number(grpcStatus) }),
    };
    if (this.#retry(outcome)) return;
    removeHopByHop(headers);
    // A 204 has no content, whatever it says of its length (RFC 9110 section 8.6).
    if (status === 204) headers.remove("content-length");
    this.#exchange.details = "via_upstream";
    this.#headSent = true;
    this.#events.onHead({ status, headers });
  }

  onData(chunk: Buffer): boolean {
    return this.#downstream.write(chunk);
  }

  onEnd(): void {
    this.#finish();
    this.#downstream.end();
  }

  onFailure(failure: UpstreamFailure): void {
    this.#cancelTryTimeout?.();
    if (this.#headSent) return this.#breakOff("UC", "upstream_reset_after_response_started");
    if (this.#retryStale(failure)) return;
    if (
      failure.kind !== "request" &&
      this.#retry({ kind: failure.kind === "connect" ? "connect-failure" : "reset" })
    ) {
      return;
    }
    const { address, port } = this.#tried.at(-1)?.endpoint ?? { address: "?", port: 0 };
    const service = this.#selection.cluster.config.service.name;
    this.#exchange.upstreamFailure = `${address}:${port}: ${failure.cause.message}`;
    switch (failure.kind) {
      case "connect":
        return this.#fail("upstream_connect_failure", `${service} could not be reached.`);
      case "reset":
        return this.#fail("upstream_reset", `${service} closed the connection before it answered.`);
      case "protocol":
        return this.#fail("upstream_protocol_error", `${service} sent something that is not HTTP.`);
      case "request":
        return this.#fail("bad_request", "The request cannot be sent on as it is.");
    }
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
    const { method, path, query, headers } = this.#exchange.request;
    const body = this.#replayableBody === undefined ? this.#downstream.streamBody() : this.#replayableBody;
    this.#call = target.upstream.send({ method, path: path + query, headers: headers.flat(), body }, this);
  }

  /** Whether another try follows. */
  #retry(outcome: TryOutcome): boolean {
    const { method } = this.#exchange.request;
    if (this.#replayableBody === undefined || !isRetriable(outcome, this.#action.retry, method)) return false;
    if (this.#retriesLeft === 0) {
      if (this.#action.retry.retries > 0) this.#exchange.flag("URX");
      return false;
    }
    this.#retriesLeft--;
    this.#call?.cancel();
    const retry = this.#action.retry.retries - this.#retriesLeft;
    this.#cancelBackoff = this.#scheduler.after(retryPauseMs(retry, this.#action.retry, this.#random), () =>
      this.#try(),
    );
    return true;
  }

  /**
   * An upstream may close an idle connection just when a request is sent on it. Such a request is sent again at once when
   * that can do no harm, whatever the route says of retries (RFC 9112 section 9.3.1).
   */
  #retryStale(failure: UpstreamFailure): boolean {
    const harmless = this.#replayableBody === null && isIdempotent(this.#exchange.request.method);
    if (failure.kind !== "reset" || !failure.reused || !harmless || !this.#staleRetryLeft) return false;
    this.#staleRetryLeft = false;
    this.#tried.pop();
    this.#try();
    return true;
  }

  #startTimeout(): void {
    if (this.#over) return;
    this.#cancelTimeout = this.#scheduler.after(this.#action.timeoutMs, () => {
      this.#call?.cancel();
      if (this.#headSent) return this.#breakOff("UT", "response_timeout");
      this.#fail(
        "upstream_timeout",
        `${this.#selection.cluster.config.service.name} did not answer in time.`,
      );
    });
  }

  #onTryTimeout(): void {
    this.#call?.cancel();
    if (this.#retry({ kind: "per-try-timeout" })) return;
    this.#fail("upstream_timeout", `${this.#selection.cluster.config.service.name} did not answer in time.`);
  }

  #fail(kind: FaultKind, detail: string): void {
    this.#finish();
    this.#events.onFault(kind, detail);
  }

  #breakOff(flag: ResponseFlag, details: string): void {
    this.#finish();
    this.#events.onBroken(flag, details);
  }

  #finish(): void {
    this.#over = true;
    this.#cancelTimeout?.();
    this.#cancelTryTimeout?.();
    this.#cancelBackoff?.();
    this.#selection.cluster.leave();
  }
}
