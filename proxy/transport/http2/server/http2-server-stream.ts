// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { BodyReceiver } from "../../contract/body.ts";
import type { ConnectionFacts } from "../../contract/connection.ts";
import type { RequestHead, ResponseHead } from "../../contract/head.ts";
import type { HeaderList } from "../../contract/header-list.ts";
import type { ResetCause, ResetReason } from "../../contract/reset.ts";
import type { ServerStream, ServerStreamEvents } from "../../contract/server.ts";
import { hasNoBody } from "../../http1/messages/framing.ts";
import { type LimitClock, TimeLimits } from "../../http1/server/time-limits.ts";
import type { FramedStream } from "../connection/framed-stream.ts";
import type { StreamEnd, StreamEvents } from "../connection/stream-host.ts";
import { sendableFields } from "../fields/sendable-fields.ts";
import { codeOfCause } from "../reset-codes.ts";

/** The connection as its stream sees it. */
export interface StreamConnection {
  readonly facts: ConnectionFacts;
  readonly clock: LimitClock;
  /** Whether the connection was cut by the proxy. */
  readonly wasCut: boolean;
  /** Asked once for each response: announces the connection's end when the server wants it closed. */
  onResponse(): void;
}

/** One request and its response on a connection. */
export class Http2ServerStream implements ServerStream, StreamEvents {
  readonly head: RequestHead;
  readonly connection: ConnectionFacts;
  events: ServerStreamEvents | undefined = undefined;
  readonly limits: TimeLimits;
  readonly openedTick: number;
  readonly #on: StreamConnection;
  readonly #stream: FramedStream;
  #receiver: BodyReceiver | undefined = undefined;
  #headSent = false;
  #isBodiless = false;
  /** Bytes of the declared body that are still to come; undefined when the length is not declared. */
  #remaining: number | undefined = undefined;
  #ended = false;

  constructor(on: StreamConnection, stream: FramedStream, head: RequestHead) {
    this.#on = on;
    this.#stream = stream;
    this.head = head;
    this.connection = on.facts;
    this.limits = new TimeLimits(on.clock);
    this.openedTick = on.clock.tick;
    stream.events = this;
    if (head.upgrade !== undefined) stream.endsWithLocal = false;
    else stream.expectedBytes = head.contentLength;
  }

  read(receiver: BodyReceiver): void {
    if (this.#stream.isClosed || this.#receiver !== undefined) return;
    this.#receiver = receiver;
    this.#stream.resume();
  }

  pause(): void {
    if (this.#receiver !== undefined) this.#stream.pause();
  }

  resume(): void {
    if (this.#receiver !== undefined) this.#stream.resume();
  }

  sendInformational({ status, headers }: ResponseHead): void {
    if (this.#stream.isClosed || this.#headSent || status === 101) return;
    this.#stream.sendHead([":status", String(status)], headers.sendable(), false);
  }

  sendHead({ status, headers, endsHere }: ResponseHead): void {
    if (this.#headSent || this.#stream.isClosed) return;
    const isUpgrade = status === 101 && this.head.upgrade !== undefined;
    // An extended CONNECT is accepted by 200, without a handshake (RFC 8441, section 5).
    if (isUpgrade) for (const name of HANDSHAKE) headers.remove(name);
    const fields = headers.sendable();
    this.#headSent = true;
    this.#isBodiless = !isUpgrade && (endsHere === true || hasNoBody(this.head.method, status));
    const declared = isUpgrade ? undefined : headers.get("content-length");
    this.#remaining = declared === undefined ? undefined : Number(declared);
    this.#on.onResponse();
    const pseudo = [":status", isUpgrade ? "200" : String(status)];
    this.#stream.sendHead(pseudo, fields, this.#isBodiless, headers.neverIndexed);
  }

  write(chunk: Uint8Array): boolean {
    if (this.#isBodiless || chunk.byteLength === 0) return true;
    if (this.#remaining !== undefined) {
      this.#remaining -= chunk.byteLength;
      if (this.#remaining < 0) {
        this.reset();
        return true;
      }
    }
    return this.#stream.write(chunk);
  }

  end(trailers?: HeaderList): void {
    if (this.#ended || this.#stream.isClosed) return;
    this.#ended = true;
    if (this.#isBodiless) return;
    // The body's length differs from the declared one.
    if (this.#remaining !== undefined && this.#remaining !== 0) return this.reset();
    this.#stream.end(sendableFields(trailers), trailers?.neverIndexed);
  }

  /** A connection of HTTP/2 outlives a faulty request: only this request's stream ends. */
  closeConnectionAfter(): void {}

  reset(cause?: ResetCause): void {
    this.#stream.reset(codeOfCause(cause));
  }

  onTick(): void {
    const { sentBytes, isRemoteEnded } = this.#stream;
    if (this.limits.isStreamOverdue(sentBytes, isRemoteEnded)) this.events?.onIdle();
  }

  // Events of the stream.

  onHead(): void {
    // A request has one head, which came before the stream.
  }

  onData(part: Buffer): void {
    this.limits.onActive();
    if (!this.#ended) this.#receiver?.onData(part);
  }

  onEnd(trailers: HeaderList | undefined): void {
    if (!this.#ended || this.head.upgrade !== undefined) this.#receiver?.onEnd(trailers);
  }

  onWritable(): void {
    this.events?.onWritable();
  }

  onClose(end: StreamEnd): void {
    this.events?.onClose(this.#reasonOf(end));
  }

  #reasonOf(end: StreamEnd): ResetReason | undefined {
    switch (end) {
      case "complete":
        return undefined;
      case "local-reset":
        return "local-reset";
      case "peer-fault":
        return "protocol-error";
      case "connection":
        return this.#on.wasCut ? "local-reset" : "connection-termination";
      default:
        return "remote-reset";
    }
  }
}

const HANDSHAKE = ["upgrade", "sec-websocket-accept", "content-length"];
