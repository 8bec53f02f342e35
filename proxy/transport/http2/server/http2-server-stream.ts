// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { OutgoingHttpHeaders, ServerHttp2Stream, ServerStreamResponseOptions } from "node:http2";

import type { BodyReceiver } from "../../contract/body.ts";
import type { ConnectionFacts } from "../../contract/connection.ts";
import type { RequestHead, ResponseHead } from "../../contract/head.ts";
import { HeaderList } from "../../contract/header-list.ts";
import type { ResetCause, ResetReason } from "../../contract/reset.ts";
import type { ServerStream, ServerStreamEvents } from "../../contract/server.ts";
import { hasNoBody } from "../../http1/messages/framing.ts";
import { type LimitClock, TimeLimits } from "../../http1/server/time-limits.ts";
import { CODE } from "../constants.ts";
import { outgoingFields, sendableTrailers } from "../fields/outgoing-fields.ts";
import { codeOfCause } from "../reset-codes.ts";

/** The connection as its stream sees it. */
export interface StreamConnection {
  readonly facts: ConnectionFacts;
  readonly clock: LimitClock;
  /** Whether the connection was cut by the proxy. */
  readonly wasCut: boolean;
  /** Whether the connection is gone. */
  readonly isClosed: boolean;
  /** Asked once for each response: announces the connection's end when the server wants it closed. */
  onResponse(): void;
  /** The stream is over. */
  onStreamClosed(stream: Http2ServerStream): void;
}

/** One request and its response on a connection. */
export class Http2ServerStream implements ServerStream {
  readonly head: RequestHead;
  readonly connection: ConnectionFacts;
  events: ServerStreamEvents | undefined = undefined;
  readonly limits: TimeLimits;
  /** Number of DATA frames that came and were not handed on yet. */
  heldFrames = 0;
  readonly #on: StreamConnection;
  readonly #stream: ServerHttp2Stream;
  readonly #openedTick: number;
  #receiver: BodyReceiver | undefined = undefined;
  #requestTrailers: HeaderList | undefined = undefined;
  #requestEnded: boolean;
  /** The response's head, until it is known whether a body follows. */
  #heldHead: OutgoingHttpHeaders | undefined = undefined;
  #headSent = false;
  #isBodiless = false;
  #trailers: OutgoingHttpHeaders | undefined = undefined;
  #writtenBytes = 0;
  /** Bytes of the declared body that are still to come; undefined when the length is not declared. */
  #remaining: number | undefined = undefined;
  #ended = false;
  #wasReset = false;
  #closed = false;

  constructor(on: StreamConnection, stream: ServerHttp2Stream, head: RequestHead, isComplete: boolean) {
    this.#on = on;
    this.#stream = stream;
    this.head = head;
    this.connection = on.facts;
    this.limits = new TimeLimits(on.clock);
    this.#openedTick = on.clock.tick;
    this.#requestEnded = isComplete;
    stream.on("error", ignore);
    stream.on("drain", () => this.events?.onWritable());
    stream.on("wantTrailers", () => this.#sendTrailers());
    stream.on("close", () => this.close());
  }

  get id(): number {
    return this.#stream.id ?? 0;
  }

  read(receiver: BodyReceiver): void {
    if (this.#closed || this.#receiver !== undefined) return;
    this.#receiver = receiver;
    if (this.#requestEnded && this.head.upgrade === undefined) return receiver.onEnd(undefined);
    const stream = this.#stream;
    stream.on("data", (chunk: Buffer) => this.#onData(chunk));
    stream.on("trailers", (_headers: unknown, _flags: number, raw?: string[]) => {
      this.#requestTrailers = new HeaderList(raw ?? []);
    });
    stream.on("end", () => this.#onRequestEnd());
  }

  pause(): void {
    if (!this.#closed && this.#receiver !== undefined) this.#stream.pause();
  }

  resume(): void {
    if (!this.#closed && this.#receiver !== undefined) this.#stream.resume();
  }

  sendInformational({ status, headers }: ResponseHead): void {
    if (!this.#isOpen || this.#headSent || status === 101) return;
    this.#stream.additionalHeaders({ ...outgoingFields(headers), ":status": status });
  }

  sendHead({ status, headers, endsHere }: ResponseHead): void {
    if (this.#headSent || !this.#isOpen) return;
    const isUpgrade = status === 101 && this.head.upgrade !== undefined;
    // An extended CONNECT is accepted by 200, without a handshake (RFC 8441, section 5).
    if (isUpgrade) for (const name of HANDSHAKE) headers.remove(name);
    const fields = outgoingFields(headers);
    fields[":status"] = isUpgrade ? 200 : status;
    this.#headSent = true;
    this.#isBodiless = !isUpgrade && (endsHere === true || hasNoBody(this.head.method, status));
    const declared = isUpgrade ? undefined : headers.get("content-length");
    this.#remaining = declared === undefined ? undefined : Number(declared);
    this.#on.onResponse();
    if (this.#isBodiless) {
      this.#respond(fields, true);
    } else {
      // A response that ends with its head is one frame: a gRPC client takes a status in a head for the call's only then.
      this.#heldHead = fields;
      queueMicrotask(() => this.#flushHead());
    }
  }

  write(chunk: Uint8Array): boolean {
    if (this.#isBodiless || !this.#isOpen || chunk.byteLength === 0) return true;
    if (this.#remaining !== undefined) {
      this.#remaining -= chunk.byteLength;
      if (this.#remaining < 0) {
        this.reset();
        return true;
      }
    }
    this.#flushHead();
    this.#writtenBytes += chunk.byteLength;
    return this.#stream.write(chunk);
  }

  end(trailers?: HeaderList): void {
    if (this.#ended || !this.#isOpen) return;
    this.#ended = true;
    if (this.#isBodiless) return;
    // The body's length differs from the declared one.
    if (this.#remaining !== undefined && this.#remaining !== 0) return this.reset();
    if (trailers !== undefined && trailers.size > 0) this.#trailers = sendableTrailers(trailers);
    const head = this.#heldHead;
    if (head !== undefined && this.#trailers === undefined) {
      this.#heldHead = undefined;
      return this.#respond(head, true);
    }
    this.#flushHead();
    this.#stream.end();
  }

  /** A connection of HTTP/2 outlives a faulty request: only this request's stream ends. */
  closeConnectionAfter(): void {}

  reset(cause?: ResetCause): void {
    if (!this.#isOpen) return;
    this.#wasReset = true;
    this.#stream.close(codeOfCause(cause));
  }

  onTick(): void {
    const taken = this.#writtenBytes - this.#stream.writableLength;
    if (this.limits.isStreamOverdue(taken, this.#requestEnded)) this.events?.onIdle();
  }

  /** The response's last frame is sent: the client is told not to send the rest of its request (RFC 9113, section 8.1). */
  onEndSent(): void {
    if (this.#requestEnded || this.head.upgrade !== undefined) return;
    setImmediate(() => {
      if (this.#isOpen && !this.#requestEnded) this.#stream.close(CODE.noError);
    });
  }

  /** Called at the stream's end. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#on.onStreamClosed(this);
    this.events?.onClose(this.#closeReason());
  }

  /** Whether the client reset the stream soon after it had opened it. */
  get wasResetPrematurely(): boolean {
    const { tick, limitTicks } = this.#on.clock;
    return this.#closeReason() === "remote-reset" && tick - this.#openedTick <= limitTicks.prematureReset;
  }

  get #isOpen(): boolean {
    return !this.#closed && !this.#stream.destroyed && !this.#stream.closed;
  }

  #closeReason(): ResetReason | undefined {
    if (this.#wasReset || this.#on.wasCut) return "local-reset";
    if (this.#stream.writableFinished && this.#ended) return undefined;
    return this.#on.isClosed ? "connection-termination" : "remote-reset";
  }

  #respond(fields: OutgoingHttpHeaders, endStream: boolean): void {
    this.#stream.respond(fields, respondOptions(endStream, !endStream));
  }

  #flushHead(): void {
    const head = this.#heldHead;
    this.#heldHead = undefined;
    if (head !== undefined && this.#isOpen) this.#respond(head, false);
  }

  #sendTrailers(): void {
    if (this.#isOpen) this.#stream.sendTrailers(this.#trailers ?? {});
  }

  #onData(chunk: Buffer): void {
    if (this.heldFrames > 0) this.heldFrames--;
    this.limits.onActive();
    this.#receiver?.onData(chunk);
  }

  #onRequestEnd(): void {
    this.#requestEnded = true;
    if (!this.#closed && !this.#ended) this.#receiver?.onEnd(this.#requestTrailers);
  }
}

const HANDSHAKE = ["upgrade", "sec-websocket-accept", "content-length"];

/** Node would add a `date`; its types do not know the option that says not to. */
export function respondOptions(endStream: boolean, waitForTrailers: boolean): ServerStreamResponseOptions {
  const options = { endStream, waitForTrailers, sendDate: false };
  return options;
}

function ignore(): void {
  // The stream's `close` event follows.
}
