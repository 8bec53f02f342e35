// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Random } from "../../kernel/ports.ts";
import { type TimerOwner, type TimerWheel, WheelTimer } from "../../kernel/timer-wheel.ts";
import type { Exchange } from "../exchange/exchange.ts";
import type { ErrorKind, ResponseFlag } from "../exchange/local-reply.ts";
import type { BodyReceiver } from "../transport/contract/body.ts";
import type { ResponseHead } from "../transport/contract/head.ts";
import type { HeaderList } from "../transport/contract/header-list.ts";
import type { ResetCause } from "../transport/contract/reset.ts";
import type { ServerStream } from "../transport/contract/server.ts";
import { removeHopByHop } from "../transport/fields/hop-by-hop.ts";
import type { PendingMirrors } from "./mirroring.ts";
import { requestTimeoutMs } from "./request-timeout.ts";
import { RequestBuffer, type RequestEvents, RequestRelay } from "./request-relay.ts";
import { type ForwardSelection, Tries, type TriesEvents } from "./tries.ts";

/** Maximum size of a body that is buffered, so that it can be sent again. */
const REPLAY_LIMIT_BYTES = 64 * 1024;

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
 * Sends one request upstream within the route's timeout, with its body, and streams the response back. The tries of it are
 * made by `Tries`.
 */
export class Forwarding implements TriesEvents, RequestEvents, TimerOwner {
  readonly #exchange: Exchange;
  readonly #downstream: ServerStream;
  readonly #selection: ForwardSelection;
  readonly #action: ForwardSelection["action"];
  readonly #timers: TimerWheel;
  readonly #events: ForwardingEvents;
  /** Copies of the request that wait for its body. */
  readonly #mirrors: PendingMirrors | undefined;

  readonly #tries: Tries;
  /** The route's timeout. */
  readonly #timeout = new WheelTimer(this);
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
    this.#events = events;
    this.#mirrors = mirrors;
    this.#tries = new Tries(exchange, selection, services, this);
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
      this.#action.retry.retries > 0 &&
      contentLength !== undefined &&
      contentLength <= REPLAY_LIMIT_BYTES &&
      // A client that waits for the upstream's 100 Continue sends no body before the request has gone there.
      !headers.has("expect") &&
      // The buffer keeps no trailers, which a body of HTTP/2 with a declared length may have too.
      !headers.has("trailer")
    ) {
      this.#read(new RequestBuffer(this.#exchange, this));
      return;
    }
    this.#tries.begin(undefined);
    if (hasBody) this.#relay();
  }

  /** Continues the response body, when the downstream is writable again. */
  resume(): void {
    this.#tries.stream?.resume();
  }

  /** Cancels the forwarding, because the downstream is gone or got another reply. Idempotent. */
  cancel(): void {
    if (this.#over) return;
    this.#tries.reset();
    this.#finish();
  }

  /** The route's timeout has passed. */
  onTimer(): void {
    this.#tries.timeOut();
    if (this.#headSent) return this.#breakOff("UT", "response_timeout");
    this.onFailed(
      "upstream_timeout",
      `${this.#selection.cluster.config.service.name} did not answer in time.`,
    );
  }

  /** The whole body was buffered. */
  onRequestBuffered(body: Uint8Array): void {
    this.#startTimeout();
    if (!this.#over) this.#tries.begin(body);
  }

  /** The whole body was relayed; called before its trailers are sent. */
  onRequestEnd(trailers: HeaderList | undefined): void {
    // The end of an upgraded connection's bytes is a half-close.
    if (this.#exchange.upgraded) return;
    this.#startTimeout();
    this.#tries.onBodySent();
    if (trailers !== undefined) this.#events.onRequestTrailers(trailers);
  }

  onInformational(head: ResponseHead): void {
    removeHopByHop(head.headers);
    this.#downstream.sendInformational(head);
  }

  onResponse(head: ResponseHead): void {
    const { status, headers } = head;
    removeHopByHop(headers);
    const { setCookie } = this.#tries;
    if (setCookie !== undefined) headers.append("set-cookie", setCookie);
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
    this.#exchange.bodyReader?.add(chunk);
    if (!this.#downstream.write(chunk)) this.#tries.stream?.pause();
  }

  onEnd(trailers: HeaderList | undefined): void {
    // A half-close: the client may go on sending until its own side is closed.
    if (this.#exchange.upgraded) return this.#downstream.end();
    this.#finish();
    if (trailers !== undefined) this.#events.onResponseTrailers(trailers);
    this.#downstream.end(trailers);
  }

  onWritable(): void {
    this.#downstream.resume();
  }

  onCutOff(cause: ResetCause | undefined): void {
    this.#breakOff("UC", "upstream_reset_after_response_started", cause);
  }

  onFailed(kind: ErrorKind, detail: string): void {
    this.#finish();
    this.#events.onError(kind, detail);
  }

  /** Sends the client's bytes on the stream of the try, if there is one. */
  #relay(): void {
    const { stream } = this.#tries;
    if (stream !== undefined) this.#read(new RequestRelay(this.#exchange, this.#downstream, stream, this));
  }

  #read(receiver: BodyReceiver): void {
    this.#downstream.read(this.#mirrors === undefined ? receiver : this.#mirrors.copying(receiver));
  }

  /** After an upgrade, bytes go both ways until either side closes; only the idle limit bounds the time. */
  #startTunnel(): void {
    this.#timers.cancel(this.#timeout);
    this.#relay();
  }

  #startTimeout(): void {
    if (this.#over) return;
    const timeoutMs = requestTimeoutMs(this.#exchange, this.#action.timeoutMs);
    if (timeoutMs > 0) this.#timers.start(this.#timeout, timeoutMs);
  }

  #breakOff(flag: ResponseFlag, details: string, cause?: ResetCause): void {
    this.#finish();
    this.#events.onBroken(flag, details, cause);
  }

  #finish(): void {
    this.#over = true;
    this.#timers.cancel(this.#timeout);
    this.#tries.finish();
    this.#selection.cluster.leave();
  }
}
