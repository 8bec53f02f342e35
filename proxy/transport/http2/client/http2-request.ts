// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ClientHttp2Stream, OutgoingHttpHeaders } from "node:http2";

import type { ClientStream, ClientStreamReceiver } from "../../contract/client.ts";
import type { RequestHead } from "../../contract/head.ts";
import { HeaderList } from "../../contract/header-list.ts";
import type { ResetCause, ResetReason } from "../../contract/reset.ts";
import type { PooledRequest } from "../../http1/client/pooled.ts";
import { CODE, FLAG } from "../constants.ts";
import { sendableTrailers } from "../fields/outgoing-fields.ts";
import { requestFieldsOf } from "../fields/request-out.ts";
import { responseHeadOf } from "../fields/response-fields.ts";
import { handshakeAccept } from "../fields/websocket-handshake.ts";
import { causeOfCode } from "../reset-codes.ts";

/** They have no back-pressure: an upstream that sends them without end would fill the memory of a slow client's proxy. */
const MAX_INFORMATIONAL = 100;

/** A session, as the request on it sees it. */
export interface RequestSession {
  /** Whether the connection is gone. */
  readonly isBroken: boolean;
  /** Whether an earlier stream was answered on the session. */
  readonly wasUsed: boolean;
  /** Why the session takes no further request, for logs. */
  readonly brokenDetail: string;
  /** The response's head came. */
  onAnswered(): void;
  /** The request's stream is over. */
  onStreamClosed(): void;
}

/** Takes a request out of the queue for a session. */
interface RequestQueue {
  abandon(request: Http2Request): void;
}

/** One request with its response on a session's stream. Until it has one, it waits, with the body as far as it has come. */
export class Http2Request implements ClientStream, PooledRequest {
  previous: PooledRequest | undefined = undefined;
  next: PooledRequest | undefined = undefined;
  isListed = false;
  deadlineMs = 0;
  readonly upgrade: string | undefined;
  readonly receiver: ClientStreamReceiver;
  readonly fields: OutgoingHttpHeaders;
  readonly #queue: RequestQueue;
  /** The key of a WebSocket's handshake, which the client of HTTP/1.1 wants answered. */
  readonly #key: string | undefined;
  #session: RequestSession | undefined = undefined;
  #stream: ClientHttp2Stream | undefined = undefined;
  /** Parts of the body that came before the stream. */
  #early: Uint8Array[] | undefined = undefined;
  #trailers: HeaderList | undefined = undefined;
  /** Whether `end` was called, or the request has no body. */
  #isEnded: boolean;
  #isPaused = false;
  #informational = 0;
  #hasResponse = false;
  #responseTrailers: HeaderList | undefined = undefined;
  /** Whether no further call reaches the receiver. */
  #isOver = false;

  /** @throws UnsendableHead when a field cannot be sent. */
  constructor(
    head: RequestHead,
    receiver: ClientStreamReceiver,
    body: Uint8Array | undefined,
    queue: RequestQueue,
    scheme: "http" | "https",
  ) {
    this.fields = requestFieldsOf(head, scheme);
    this.upgrade = head.upgrade;
    this.#key = head.upgrade === undefined ? undefined : head.headers.get("sec-websocket-key");
    this.receiver = receiver;
    this.#queue = queue;
    this.#isEnded = head.upgrade === undefined && (body !== undefined || !head.hasBody);
    if (body !== undefined && body.byteLength > 0) this.#early = [body];
  }

  /** Whether the request is complete without a body. */
  get isHeadOnly(): boolean {
    return this.#isEnded && this.#early === undefined && this.#trailers === undefined;
  }

  /**
   * Whether trailers may follow. Node ends a stream that waits for them by `sendTrailers` alone: another one that is reset would
   * first end, and the upstream would take half of a body for the whole.
   */
  get mayHaveTrailers(): boolean {
    return !this.isHeadOnly;
  }

  /** Sends the request, as far as it has come, on a stream that was opened with its fields. */
  startOn(session: RequestSession, stream: ClientHttp2Stream): void {
    this.#session = session;
    this.#stream = stream;
    stream.on("headers", (_headers, _flags, raw?: string[]) => this.#onInformational(raw ?? []));
    stream.on("response", (_headers, flags, raw?: string[]) => this.#onResponse(raw ?? [], flags));
    stream.on("trailers", (_headers, _flags, raw?: string[]) => {
      this.#responseTrailers = new HeaderList(raw ?? []);
    });
    stream.on("wantTrailers", () => {
      if (!stream.destroyed && !stream.closed) stream.sendTrailers(sendableTrailers(this.#trailers));
    });
    stream.on("drain", () => {
      if (!this.#isOver) this.receiver.onWritable();
    });
    stream.on("error", ignore);
    stream.on("end", () => this.#onEnd());
    stream.on("close", () => this.#onClose());
    this.#sendEarly(stream);
  }

  write(chunk: Uint8Array): boolean {
    if (this.#isOver || (this.#isEnded && this.upgrade === undefined)) return true;
    if (this.#stream !== undefined) return !this.#isWritable || this.#stream.write(chunk);
    (this.#early ??= []).push(chunk);
    return false;
  }

  end(trailers?: HeaderList): void {
    if (this.#isOver || this.#isEnded) return;
    this.#isEnded = true;
    this.#trailers = trailers;
    if (this.#isWritable) this.#stream?.end();
  }

  pause(): void {
    this.#isPaused = true;
    if (this.#hasResponse && !this.#isOver) this.#stream?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#hasResponse && !this.#isOver) this.#stream?.resume();
  }

  reset(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#stream === undefined) this.#queue.abandon(this);
    else this.#stream.close(CODE.cancel);
  }

  refuse(reason: ResetReason, detail: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.receiver.onReset({ reason, connectionReused: false, detail });
  }

  get #isWritable(): boolean {
    const stream = this.#stream;
    return stream !== undefined && !stream.destroyed && !stream.closed && !stream.writableEnded;
  }

  #sendEarly(stream: ClientHttp2Stream): void {
    const early = this.#early;
    this.#early = undefined;
    let isWritable = true;
    if (early !== undefined) for (const chunk of early) isWritable = stream.write(chunk);
    if (this.#isEnded) {
      if (!stream.writableEnded) stream.end();
    } else if (early !== undefined && isWritable) {
      this.receiver.onWritable();
    }
  }

  #onInformational(raw: readonly string[]): void {
    if (this.#isOver) return;
    const head = responseHeadOf(raw, false);
    if (++this.#informational > MAX_INFORMATIONAL) {
      this.#fail("protocol-error", `more than ${MAX_INFORMATIONAL} informational responses`);
    } else {
      this.receiver.onInformational(head);
    }
  }

  #onResponse(raw: readonly string[], flags: number): void {
    if (this.#isOver) return;
    const stream = this.#stream as ClientHttp2Stream;
    const head = responseHeadOf(raw, (flags & FLAG.endStream) !== 0);
    if (head.status === 101) return this.#fail("protocol-error", "HTTP/2 has no status 101");
    this.#session?.onAnswered();
    this.#hasResponse = true;
    // An extended CONNECT is accepted by a 2xx; the contract's answer is that of HTTP/1.1.
    if (this.upgrade !== undefined && head.status >= 200 && head.status < 300) {
      head.status = 101;
      if (this.#key !== undefined) head.headers.set("sec-websocket-accept", handshakeAccept(this.#key));
    }
    this.receiver.onHead(head);
    if (this.#isOver) return;
    stream.on("data", (chunk: Buffer) => {
      if (!this.#isOver) this.receiver.onData(chunk);
    });
    if (this.#isPaused) stream.pause();
  }

  #onEnd(): void {
    if (this.#isOver || !this.#hasResponse) return;
    const stream = this.#stream as ClientHttp2Stream;
    // A stream that is reset ends for its reader, too.
    if (stream.aborted || stream.rstCode !== CODE.noError || this.#session?.isBroken === true) return;
    const isTunnel = this.upgrade !== undefined;
    if (!isTunnel || !this.#isWritable) this.#isOver = true;
    this.receiver.onEnd(this.#responseTrailers);
    // The response is whole: nobody waits for the rest of the request.
    if (!isTunnel && this.#isWritable) stream.close(CODE.noError);
  }

  #onClose(): void {
    const session = this.#session as RequestSession;
    session.onStreamClosed();
    const code = this.#stream?.rstCode ?? CODE.noError;
    if (session.isBroken && code !== CODE.refusedStream) {
      this.#fail("connection-termination", session.brokenDetail);
    } else {
      this.#fail(reasonOf(code), `the upstream reset the stream with code ${code}`, causeOfCode(code));
    }
  }

  #fail(reason: ResetReason, detail: string, cause?: ResetCause): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const stream = this.#stream;
    if (stream !== undefined && !stream.closed) stream.close(CODE.protocolError);
    const connectionReused = this.#session?.wasUsed === true && !this.#hasResponse;
    this.receiver.onReset({ reason, cause, connectionReused, detail });
  }
}

function reasonOf(code: number): ResetReason {
  if (code === CODE.refusedStream) return "remote-refused-stream";
  return code === CODE.protocolError ? "protocol-error" : "remote-reset";
}

function ignore(): void {
  // The stream's `close` event follows.
}
