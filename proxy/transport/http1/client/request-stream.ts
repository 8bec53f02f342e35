// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { isRepeatable } from "../../../../core/traffic/retry.ts";
import type { BodySource } from "../../contract/body.ts";
import type { ClientStream, ClientStreamReceiver } from "../../contract/client.ts";
import type { RequestHead } from "../../contract/head.ts";
import type { HeaderList } from "../../contract/header-list.ts";
import type { ResetReason } from "../../contract/reset.ts";
import { requestHeadText } from "../messages/head-text.ts";
import { CHUNKED, type Framing, framingOfLength, NO_BODY } from "../messages/framing.ts";
import type { ConnectionPool } from "./connection-pool.ts";
import type { ExclusiveRequest, PooledRequest } from "./pooled.ts";

/** A connection, as the request on it sees it. */
export interface RequestCarrier extends BodySource {
  /** Sends a part of the request's body, or of the bytes of an upgraded connection. See BodySink. */
  write(chunk: Uint8Array): boolean;
  /** Ends the request. */
  end(trailers: HeaderList | undefined): void;
  /** Half-closes an upgraded connection. */
  endTunnel(): void;
  /** The request was cancelled: closes the connection, without a call of the receiver. */
  abandon(): void;
}

/**
 * One request with its response: it waits for a connection, is sent on it, and is over with the response's end,
 * a reset, or its cancellation.
 */
export class RequestStream implements ClientStream, ExclusiveRequest {
  previous: PooledRequest | undefined = undefined;
  next: PooledRequest | undefined = undefined;
  isListed = false;
  deadlineMs = 0;

  readonly method: string;
  readonly upgrade: string | undefined;
  readonly receiver: ClientStreamReceiver;
  readonly headText: string;
  readonly framing: Framing;
  /** Whether no further call reaches the receiver. */
  isOver = false;
  /** Whether `end` was called, or the request has no body. */
  isEnded: boolean;
  readonly #pool: ConnectionPool<RequestStream>;
  #connection: RequestCarrier | undefined = undefined;
  /** Parts of the body that came before the connection. */
  #early: Uint8Array[] | undefined = undefined;
  #trailers: HeaderList | undefined = undefined;

  /** @throws UnsendableHead when a field cannot be sent. */
  constructor(
    head: RequestHead,
    receiver: ClientStreamReceiver,
    body: Uint8Array | undefined,
    pool: ConnectionPool<RequestStream>,
  ) {
    const framing = framingOf(head, body);
    this.method = head.method;
    this.upgrade = head.upgrade;
    this.receiver = receiver;
    this.framing = framing;
    this.headText = requestHeadText(head.method, head.target, head.headers, framing, head.upgrade);
    this.isEnded = body !== undefined || !head.hasBody;
    if (body !== undefined) this.#early = [body];
    this.#pool = pool;
  }

  get isRepeatable(): boolean {
    return isRepeatable(this.method, this.framing.kind !== "none");
  }

  /** Whether the request is complete without a body. */
  get isHeadOnly(): boolean {
    return this.isEnded && this.framing.kind === "none";
  }

  write(chunk: Uint8Array): boolean {
    if (this.isOver || (this.isEnded && this.upgrade === undefined)) return true;
    if (this.#connection !== undefined) return this.#connection.write(chunk);
    if (this.#early === undefined) this.#early = [chunk];
    else this.#early.push(chunk);
    return false;
  }

  end(trailers?: HeaderList): void {
    if (this.isOver) return;
    // The bytes of an upgraded connection have an end of their own, after the request's.
    if (this.isEnded) return this.#connection?.endTunnel();
    this.isEnded = true;
    if (this.#connection === undefined) this.#trailers = trailers;
    else this.#connection.end(trailers);
  }

  pause(): void {
    if (!this.isOver) this.#connection?.pause();
  }

  resume(): void {
    if (!this.isOver) this.#connection?.resume();
  }

  reset(): void {
    if (this.isOver) return;
    this.isOver = true;
    const connection = this.#connection;
    if (connection === undefined) this.#pool.abandon(this);
    else connection.abandon();
  }

  /** Sends the request, as far as it has come, on a connection that is this stream's from now on. */
  startOn(connection: RequestCarrier): void {
    this.#connection = connection;
    const early = this.#early;
    this.#early = undefined;
    if (this.isHeadOnly) return;
    let isWritable = false;
    if (early !== undefined) for (const chunk of early) isWritable = connection.write(chunk);
    if (this.isEnded) connection.end(this.#trailers);
    else if (isWritable) this.receiver.onWritable();
  }

  /** The stream is over, without a call of the receiver. The connection is no longer this stream's. */
  finish(): void {
    this.isOver = true;
    this.#connection = undefined;
  }

  refuse(reason: ResetReason, detail: string): void {
    if (this.isOver) return;
    this.finish();
    this.receiver.onReset({ reason, connectionReused: false, detail });
  }
}

function framingOf(head: RequestHead, body: Uint8Array | undefined): Framing {
  if (body !== undefined) return framingOfLength(body.byteLength);
  if (!head.hasBody) return NO_BODY;
  return head.contentLength === undefined ? CHUNKED : framingOfLength(head.contentLength);
}
