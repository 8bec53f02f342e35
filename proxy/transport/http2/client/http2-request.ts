// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ClientStream, ClientStreamReceiver } from "../../contract/client.ts";
import type { RequestHead } from "../../contract/head.ts";
import type { HeaderList } from "../../contract/header-list.ts";
import type { ResetCause, ResetReason } from "../../contract/reset.ts";
import type { PooledRequest } from "../../http1/client/pooled.ts";
import type { FramedStream } from "../connection/framed-stream.ts";
import type { StreamEnd, StreamEvents } from "../connection/stream-host.ts";
import { CODE } from "../constants.ts";
import type { FieldCollector } from "../fields/field-collector.ts";
import { type OutgoingRequest, outgoingRequestOf } from "../fields/request-out.ts";
import { responseLengthOf } from "../fields/response-fields.ts";
import { sendableFields } from "../fields/sendable-fields.ts";
import { handshakeAccept } from "../fields/websocket-handshake.ts";
import { causeOfCode } from "../reset-codes.ts";

/** They have no back-pressure: an upstream that sends them without end would fill the memory of a slow client's proxy. */
const MAX_INFORMATIONAL = 100;

/** A session, as the request on it sees it. */
export interface RequestSession {
  /** Whether an earlier stream was answered on the session. */
  readonly wasUsed: boolean;
  /** Whether the connection ended because the upstream broke the protocol. */
  readonly isFaulty: boolean;
  /** Why the session takes no further request, for logs. */
  readonly brokenDetail: string;
  /** The response's head came. */
  onAnswered(): void;
}

/** Takes a request out of the queue for a session. */
interface RequestQueue {
  abandon(request: Http2Request): void;
}

/** One request with its response on a session's stream. Until it has one, it waits, with the body as far as it has come. */
export class Http2Request implements ClientStream, PooledRequest, StreamEvents {
  previous: PooledRequest | undefined = undefined;
  next: PooledRequest | undefined = undefined;
  isListed = false;
  deadlineMs = 0;
  readonly upgrade: string | undefined;
  readonly receiver: ClientStreamReceiver;
  readonly #method: string;
  readonly #head: OutgoingRequest;
  readonly #queue: RequestQueue;
  /** The key of a WebSocket's handshake, which the client of HTTP/1.1 wants answered. */
  readonly #key: string | undefined;
  #session: RequestSession | undefined = undefined;
  #stream: FramedStream | undefined = undefined;
  /** Parts of the body that came before the stream. */
  #early: Uint8Array[] | undefined = undefined;
  #trailers: HeaderList | undefined = undefined;
  /** Whether `end` was called, or the request has no body. */
  #isEnded: boolean;
  #isPaused = false;
  #informational = 0;
  #hasResponse = false;
  /** Whether the upstream accepted the `upgrade`. */
  #isTunnel = false;
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
    this.#head = outgoingRequestOf(head, scheme);
    this.#method = head.method;
    this.upgrade = head.upgrade;
    this.#key = head.upgrade === undefined ? undefined : head.headers.get("sec-websocket-key");
    this.receiver = receiver;
    this.#queue = queue;
    this.#isEnded = head.upgrade === undefined && (body !== undefined || !head.hasBody);
    if (body !== undefined && body.byteLength > 0) this.#early = [body];
  }

  /** Sends the request, as far as it has come, on a new stream. */
  startOn(session: RequestSession, stream: FramedStream): void {
    this.#session = session;
    this.#stream = stream;
    stream.events = this;
    if (!this.#isPaused) stream.resume();
    const { pseudo, fields, neverIndexed } = this.#head;
    const early = this.#early;
    this.#early = undefined;
    const isHeadOnly = this.#isEnded && early === undefined && this.#trailers === undefined;
    stream.sendHead(pseudo, fields, isHeadOnly, neverIndexed);
    if (isHeadOnly) return;
    let isWritable = true;
    if (early !== undefined) for (const chunk of early) isWritable = stream.write(chunk);
    if (this.#isEnded) stream.end(sendableFields(this.#trailers), this.#trailers?.neverIndexed);
    else if (early !== undefined && isWritable) this.receiver.onWritable();
  }

  write(chunk: Uint8Array): boolean {
    if (this.#isOver || this.#isEnded) return true;
    if (this.#stream !== undefined) return this.#stream.write(chunk);
    (this.#early ??= []).push(chunk);
    return false;
  }

  end(trailers?: HeaderList): void {
    if (this.#isOver || this.#isEnded) return;
    this.#isEnded = true;
    if (this.#stream === undefined) this.#trailers = trailers;
    else this.#stream.end(sendableFields(trailers), trailers?.neverIndexed);
  }

  pause(): void {
    this.#isPaused = true;
    this.#stream?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#stream?.resume();
  }

  reset(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#stream === undefined) this.#queue.abandon(this);
    else this.#stream.reset(CODE.cancel);
  }

  refuse(reason: ResetReason, detail: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.receiver.onReset({ reason, connectionReused: false, detail });
  }

  onHead(fields: FieldCollector, endsStream: boolean): void {
    if (this.#isOver) return;
    const status = Number(fields.status);
    if (status >= 200) return this.#onResponse(status, fields, endsStream);
    if (status === 101) return this.#fail("HTTP/2 has no status 101");
    if (++this.#informational <= MAX_INFORMATIONAL) {
      this.receiver.onInformational({ status, headers: fields.headers(), endsHere: false });
    } else {
      this.#fail(`more than ${MAX_INFORMATIONAL} informational responses`);
    }
  }

  onData(part: Buffer): void {
    if (!this.#isOver) this.receiver.onData(part);
  }

  onEnd(trailers: HeaderList | undefined): void {
    if (this.#isOver) return;
    const stream = this.#stream as FramedStream;
    if (!this.#isTunnel || stream.isLocalEnded) this.#isOver = true;
    this.receiver.onEnd(trailers);
    // The response is whole: nobody waits for the rest of the request.
    if (!this.#isTunnel && !stream.isLocalEnded) stream.reset(CODE.noError);
  }

  onWritable(): void {
    if (!this.#isOver) this.receiver.onWritable();
  }

  onClose(end: StreamEnd, code: number): void {
    if (this.#isOver) return;
    const { isFaulty, brokenDetail } = this.#session as RequestSession;
    switch (end) {
      case "complete":
        // A tunnel whose sides have both ended.
        this.#isOver = true;
        return;
      case "peer-reset":
        return this.#tell(
          reasonOf(code),
          `the upstream reset the stream with code ${code}`,
          causeOfCode(code),
        );
      case "peer-fault":
        return this.#tell("protocol-error", `the upstream broke the protocol (code ${code})`);
      case "refused":
        return this.#tell("remote-refused-stream", brokenDetail);
      case "connection":
        return this.#tell(isFaulty ? "protocol-error" : "connection-termination", brokenDetail);
      case "local-reset":
        return this.#tell("local-reset", "the stream was reset");
    }
  }

  #onResponse(status: number, fields: FieldCollector, endsStream: boolean): void {
    this.#session?.onAnswered();
    this.#hasResponse = true;
    const headers = fields.headers();
    if (this.upgrade !== undefined && status < 300) {
      // An extended CONNECT is accepted by a 2xx; the contract's answer is that of HTTP/1.1.
      this.#isTunnel = true;
      if (this.#key !== undefined) headers.set("sec-websocket-accept", handshakeAccept(this.#key));
      this.receiver.onHead({ status: 101, headers, endsHere: false });
      return;
    }
    const length = responseLengthOf(this.#method, status, fields.contentLength);
    if (length === -1) return this.#fail("the response has a Content-Length that it may not have");
    (this.#stream as FramedStream).expectedBytes = length;
    this.receiver.onHead({ status, headers, endsHere: endsStream });
  }

  /** The upstream broke the protocol. */
  #fail(detail: string): void {
    this.#stream?.reset(CODE.protocolError);
    this.#tell("protocol-error", detail);
  }

  #tell(reason: ResetReason, detail: string, cause?: ResetCause): void {
    this.#isOver = true;
    const connectionReused = this.#session?.wasUsed === true && !this.#hasResponse;
    this.receiver.onReset({ reason, cause, connectionReused, detail });
  }
}

function reasonOf(code: number): ResetReason {
  if (code === CODE.refusedStream) return "remote-refused-stream";
  return code === CODE.protocolError ? "protocol-error" : "remote-reset";
}
