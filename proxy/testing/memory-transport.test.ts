// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { BodyReceiver } from "../transport/contract/body.ts";
import type { ClientStream, ClientStreamReceiver } from "../transport/contract/client.ts";
import type { ConnectionFacts } from "../transport/contract/connection.ts";
import type { RequestHead, ResponseHead } from "../transport/contract/head.ts";
import { HeaderList } from "../transport/contract/header-list.ts";
import type { ResetReason } from "../transport/contract/reset.ts";
import type { ServerHandler, ServerStream, ServerStreamEvents } from "../transport/contract/server.ts";
import type { Transport } from "../transport/contract/transport.ts";

/** A client's stream without a connection: the test plays the client. */
export class MemoryServerStream implements ServerStream {
  readonly head: RequestHead;
  readonly connection: ConnectionFacts;
  events: ServerStreamEvents | undefined;
  receiver: BodyReceiver | undefined;
  readonly sent: ResponseHead[] = [];
  readonly chunks: Uint8Array[] = [];
  trailers: HeaderList | undefined;
  isPaused = false;
  takesMore = true;

  constructor(
    head: Partial<RequestHead> & { readonly headers?: HeaderList },
    facts: Partial<ConnectionFacts>,
  ) {
    this.head = {
      method: "GET",
      target: "/",
      headers: new HeaderList(["host", "a"]),
      httpVersion: "2",
      hasBody: false,
      contentLength: undefined,
      upgrade: undefined,
      ...head,
    };
    this.connection = {
      id: "memory-1",
      remoteIp: "192.0.2.7",
      remotePort: 1,
      localIp: "192.0.2.1",
      localPort: 2,
      tls: undefined,
      ...facts,
    };
  }

  read(receiver: BodyReceiver): void {
    this.receiver = receiver;
  }
  pause(): void {
    this.isPaused = true;
  }
  resume(): void {
    this.isPaused = false;
  }
  sendInformational(head: ResponseHead): void {
    this.sent.push(head);
  }
  sendHead(head: ResponseHead): void {
    this.sent.push(head);
  }
  write(chunk: Uint8Array): boolean {
    this.chunks.push(chunk);
    return this.takesMore;
  }
  end(trailers?: HeaderList): void {
    this.trailers = trailers;
    this.events?.onClose(undefined);
  }
  closeConnectionAfter(): void {}
  reset(): void {
    this.events?.onClose("local-reset");
  }
}

/** An upstream's stream without a connection: the test plays the upstream. */
export class MemoryClientStream implements ClientStream {
  readonly head: RequestHead;
  readonly receiver: ClientStreamReceiver;
  readonly chunks: Uint8Array[] = [];
  trailers: HeaderList | undefined;
  isEnded = false;
  isReset = false;
  isPaused = false;
  takesMore = true;

  constructor(head: RequestHead, receiver: ClientStreamReceiver) {
    this.head = head;
    this.receiver = receiver;
  }

  answer(status: number, headers: string[] = []): void {
    this.receiver.onHead({ status, headers: new HeaderList(headers) });
  }
  fail(reason: ResetReason): void {
    this.receiver.onReset({ reason, connectionReused: false, detail: "as the test says" });
  }
  write(chunk: Uint8Array): boolean {
    this.chunks.push(chunk);
    return this.takesMore;
  }
  end(trailers?: HeaderList): void {
    this.isEnded = true;
    this.trailers = trailers;
  }
  pause(): void {
    this.isPaused = true;
  }
  resume(): void {
    this.isPaused = false;
  }
  reset(): void {
    this.isReset = true;
  }
}

/**
 * A transport without sockets, for events that no present codec has: HTTP/2's resets and trailers, the facts
 * of TLS.
 */
export class MemoryTransport implements Transport {
  readonly name = "memory";
  /** The streams that the proxy opened, in order. */
  readonly opened: MemoryClientStream[] = [];
  #handler: ServerHandler | undefined;

  createServer(_settings: unknown, handler: ServerHandler) {
    this.#handler = handler;
    return {
      port: 1,
      listen: async () => {},
      setLimits: () => {},
      setTlsServers: () => {},
      setProxyProtocol: () => {},
      acceptWaiting: async () => {},
      close: async () => {},
      cut: () => {},
    };
  }

  createDialer(): never {
    throw new Error("no bytes are forwarded in memory");
  }

  createClient() {
    return {
      open: (head: RequestHead, receiver: ClientStreamReceiver): ClientStream => {
        const stream = new MemoryClientStream(head, receiver);
        this.opened.push(stream);
        return stream;
      },
      stats: { connected: 0, pending: 0 },
      close: async () => {},
      destroy: async () => {},
    };
  }

  /** Simulates the arrival of a request. */
  request(head: Partial<RequestHead> = {}, facts: Partial<ConnectionFacts> = {}): MemoryServerStream {
    const stream = new MemoryServerStream(head, facts);
    this.#handler?.onStream(stream);
    return stream;
  }
}
