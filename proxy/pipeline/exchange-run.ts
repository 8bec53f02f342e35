// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { isPromise, type MaybePromise } from "../../kernel/maybe-promise.ts";
import { messageOf } from "../../kernel/errors.ts";
import type { Clock, Logger, Random } from "../../kernel/ports.ts";
import type { TimerWheel } from "../../kernel/timer-wheel.ts";
import type { AttributeBag } from "../../core/attributes/bag.ts";
import { STATUS_CODES, type StatusCode } from "../../kernel/status.ts";
import { redirectLocation } from "../../core/traffic/request-target.ts";
import { Forwarding, type ForwardingEvents } from "./forwarding.ts";
import { credentialExpiryOf, hasExpiringCertificate } from "./credential-expiry.ts";
import type { LongStream, LongStreams } from "./long-streams.ts";
import type { CredentialExpiry, ExpiringEntry } from "./stream-expiries.ts";
import { GrpcWebStream } from "./grpc-web/grpc-web-stream.ts";
import type { Mirroring } from "./mirroring.ts";
import type { Exchange, RouteSelection } from "../exchange/exchange.ts";
import { asGrpcError } from "../exchange/grpc-reply.ts";
import { beginGrpcWebCall } from "../exchange/grpc-web-call.ts";
import type { FilterChain } from "../filters/filter-chain.ts";
import type { ResponseHead } from "../transport/contract/head.ts";
import { HeaderList } from "../transport/contract/header-list.ts";
import type { ResetCause, ResetReason } from "../transport/contract/reset.ts";
import type { ServerStream, ServerStreamEvents } from "../transport/contract/server.ts";
import {
  type ErrorKind,
  errorReply,
  type LocalReply,
  plainReply,
  renderLocalReply,
  type ResponseFlag,
} from "../exchange/local-reply.ts";

/** Services that the exchanges of a proxy share. */
export interface PipelineServices {
  readonly filters: FilterChain;
  readonly clock: Clock;
  readonly random: Random;
  /** Runs the timeouts of routes and tries. */
  readonly timers: TimerWheel;
  readonly mirroring: Mirroring;
  readonly logger: Logger;
  readonly longStreams: LongStreams;
}

/**
 * Runs one exchange from its request to its end: down the filters, then upstream or to a local reply, and
 * back up.
 */
export function runExchange(exchange: Exchange, downstream: ServerStream, services: PipelineServices): void {
  new ExchangeRun(exchange, downstream, services).start();
}

/** One exchange under way. The class receives the events of both sides itself, so that an exchange makes no closures. */
class ExchangeRun implements ServerStreamEvents, ForwardingEvents, LongStream {
  readonly #exchange: Exchange;
  /** The client's stream; for a call of gRPC-Web that is translated, a stream of gRPC around it. */
  #downstream: ServerStream;
  readonly #services: PipelineServices;
  #forwarding: Forwarding | undefined;
  #headSent = false;
  #wasCut = false;
  #isLong = false;
  /** The first credential of the client that expires; set for long streams alone. */
  expiry: CredentialExpiry | undefined = undefined;
  expiringEntry: ExpiringEntry | undefined = undefined;
  /** The fields of the list of long streams. */
  previous: LongStream | undefined = undefined;
  next: LongStream | undefined = undefined;
  isListed = false;

  constructor(exchange: Exchange, downstream: ServerStream, services: PipelineServices) {
    this.#exchange = exchange;
    this.#downstream = downstream;
    this.#services = services;
  }

  start(): void {
    this.#exchange.snapshot.hold();
    this.#downstream.events = this;
    let reply: MaybePromise<LocalReply | undefined>;
    try {
      reply = this.#services.filters.request(this.#exchange);
    } catch (error) {
      reply = this.#internalError(error);
    }
    if (reply === undefined || !isPromise(reply)) return this.#proceed(reply);
    void reply.catch((error: unknown) => this.#internalError(error)).then((late) => this.#proceed(late));
  }

  onWritable(): void {
    this.#forwarding?.resume();
  }

  onIdle(): void {
    this.#giveUp(errorReply("stream_idle_timeout", "Nothing moved on the connection for too long."));
  }

  onMalformed(detail: string): void {
    this.#giveUp(errorReply("bad_request", detail));
  }

  onClose(reason: ResetReason | undefined): void {
    const { clock } = this.#services;
    this.#forwarding?.cancel();
    if (this.#isLong) this.#services.longStreams.remove(this);
    if (!this.#exchange.finish(clock.monotonicMs())) return;
    if (reason !== undefined && !this.#wasCut) {
      this.#exchange.flag("DC");
      this.#exchange.details =
        reason === "local-reset" ? "downstream_local_disconnect" : "downstream_remote_disconnect";
    }
    this.#complete();
  }

  onHead(head: ResponseHead): void {
    this.#services.filters.response(this.#exchange, head);
    this.#exchange.response = head;
    this.#downstream.sendHead(head);
    this.#headSent = true;
    if (this.#forwarding === undefined || !isLong(this.#exchange, head)) return;
    const { connection, credentialExpiresAtEpochMs } = this.#exchange;
    this.expiry = credentialExpiryOf(connection, credentialExpiresAtEpochMs);
    if (!this.isDecidedHere && this.expiry === undefined) return;
    this.#isLong = true;
    this.#services.longStreams.add(this);
  }

  get isDecidedHere(): boolean {
    return this.#exchange.verdict !== undefined;
  }

  get attributes(): AttributeBag {
    return this.#exchange.checkedAttributes ?? this.#exchange.attributes ?? {};
  }

  refuse(): void {
    this.#endStream("refused_by_changed_policy", "PERMISSION_DENIED", "the policies have changed");
  }

  expire({ credential }: CredentialExpiry): void {
    this.#endStream(`${credential}_expired`, "UNAUTHENTICATED", `the client's ${credential} has expired`);
  }

  /** Ends a gRPC call with a status; nothing can be said within the bytes of another protocol. */
  #endStream(details: string, grpcStatus: StatusCode, grpcMessage: string): void {
    if (this.#exchange.finished) return;
    this.#forwarding?.cancel();
    this.#wasCut = true;
    this.#exchange.flag("UAEX");
    this.#exchange.details = details;
    if (isGrpc(this.#exchange)) this.#downstream.end(statusTrailers(grpcStatus, grpcMessage));
    else this.#downstream.reset();
  }

  onRequestTrailers(trailers: HeaderList): void {
    this.#services.filters.requestTrailers(this.#exchange, trailers);
    this.#exchange.requestTrailers = trailers;
  }

  onResponseTrailers(trailers: HeaderList): void {
    this.#services.filters.responseTrailers(this.#exchange, trailers);
    this.#exchange.responseTrailers = trailers;
  }

  onError(kind: ErrorKind, detail: string): void {
    this.#reply(errorReply(kind, detail));
  }

  /** Cutting the connection is the only way in HTTP/1.1 to mark a response that has begun as incomplete. */
  onBroken(flag: ResponseFlag | undefined, details: string, cause?: ResetCause): void {
    this.#wasCut = true;
    if (flag !== undefined) this.#exchange.flag(flag);
    this.#exchange.details = details;
    this.#downstream.reset(cause);
  }

  /** The step after the last filter. */
  #proceed(reply: LocalReply | undefined): void {
    // While a filter waited, the client may have left or another reply may have been sent.
    if (this.#exchange.finished || this.#headSent) return;
    try {
      const { selection } = this.#exchange;
      if (reply !== undefined) this.#reply(reply);
      else if (selection?.kind === "forward") this.#forward(selection);
      else if (selection?.kind === "answer") this.#reply(answerOf(selection, this.#exchange));
      else this.#reply(errorReply("route_not_found"));
    } catch (error) {
      this.#giveUp(this.#internalError(error));
    }
  }

  #forward(selection: Extract<RouteSelection, { readonly kind: "forward" }>): void {
    const { mirrors } = selection.action;
    if (this.#exchange.listener.grpcWeb === true || selection.cluster.config.grpcWeb === true)
      this.#translateGrpcWeb();
    const copy =
      mirrors === undefined
        ? undefined
        : this.#services.mirroring.begin(this.#exchange, mirrors, selection.action);
    this.#forwarding = new Forwarding(
      this.#exchange,
      this.#downstream,
      selection,
      this.#services,
      this,
      copy,
    );
    this.#forwarding.start();
  }

  #translateGrpcWeb(): void {
    const call = beginGrpcWebCall(this.#exchange.request);
    if (call === undefined) return;
    this.#exchange.grpcWeb = call;
    this.#downstream = new GrpcWebStream(this.#downstream, call);
  }

  #reply(reply: LocalReply): void {
    const { request, requestId } = this.#exchange;
    const shown = asGrpcError(reply, request.headers.get("content-type"));
    const { headers, body } = renderLocalReply(shown, requestId);
    if (reply.flag !== undefined) this.#exchange.flag(reply.flag);
    this.#exchange.details = reply.details;
    if (reply.body.kind === "problem") this.#exchange.errorCode = reply.body.problem.code;
    // After one protocol error, the boundaries of the client's next request cannot be trusted.
    if (reply.flag === "DPE") this.#downstream.closeConnectionAfter();
    this.onHead({ status: shown.status, headers });
    if (body.byteLength > 0 && request.method !== "HEAD") {
      this.#exchange.responseBytes += body.byteLength;
      this.#downstream.write(body);
    }
    this.#downstream.end();
  }

  /**
   * Ends the exchange on an error: with a reply before the head is sent, by cutting the connection
   * afterwards.
   */
  #giveUp(reply: LocalReply): void {
    this.#forwarding?.cancel();
    if (this.#exchange.finished) return;
    if (this.#headSent) return this.onBroken(reply.flag, reply.details);
    this.#downstream.closeConnectionAfter();
    this.#reply(reply);
  }

  #complete(): void {
    const { filters, logger } = this.#services;
    const exchange = this.#exchange;
    if (exchange.upstreamFailure !== undefined) {
      logger.debug("an upstream failed", {
        requestId: exchange.requestId,
        upstream: exchange.upstreamFailure,
      });
    }
    try {
      filters.complete(exchange);
    } catch (error) {
      logger.error("a filter failed at the end of an exchange", {
        requestId: exchange.requestId,
        error: messageOf(error),
      });
    } finally {
      exchange.snapshot.release();
    }
  }

  #internalError(error: unknown): LocalReply {
    this.#services.logger.error("a filter failed", {
      requestId: this.#exchange.requestId,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
    return errorReply("internal_error");
  }
}

/**
 * Whether the response may go on for hours, so that a change of the policies, decided by the last proxy before the
 * destination, or the expiry of a credential, known to the proxy that verified it, must reach it.
 */
function isLong(exchange: Exchange, { headers }: ResponseHead): boolean {
  const { verdict, credentialExpiresAtEpochMs, connection } = exchange;
  if (
    verdict === undefined &&
    credentialExpiresAtEpochMs === undefined &&
    !hasExpiringCertificate(connection)
  )
    return false;
  if (exchange.upgraded) return true;
  const type = headers.get("content-type");
  return type !== undefined && (type.startsWith("text/event-stream") || type.startsWith("application/grpc"));
}

function isGrpc({ response }: Exchange): boolean {
  return response?.headers.get("content-type")?.startsWith("application/grpc") === true;
}

function statusTrailers(status: StatusCode, message: string): HeaderList {
  const trailers = new HeaderList();
  trailers.set("grpc-status", String(STATUS_CODES.indexOf(status)));
  trailers.set("grpc-message", message);
  return trailers;
}

/** The local reply of a route that redirects or responds directly. */
function answerOf(
  { action }: Extract<RouteSelection, { readonly kind: "answer" }>,
  { request }: Exchange,
): LocalReply {
  switch (action.kind) {
    case "redirect":
      return plainReply(action.code, "redirect", {
        headers: [["location", redirectLocation(action, { ...request, authority: request.authorityText })]],
      });
    case "direct":
      return plainReply(action.status, "direct_response", {
        text: action.body,
        ...(action.bytes === undefined ? {} : { bytes: Buffer.from(action.bytes, "base64") }),
        contentType: action.contentType,
      });
  }
}
