// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";

import { DEFAULT_LISTENER_LIMITS } from "../../../../core/traffic/listener-limits.ts";
import type { ListenerLimits } from "../../../../core/traffic/resources/listener.ts";
import { NO_TLS, onCleanup, scheduler } from "../../../testing/harness.test.ts";
import type { BodyReceiver } from "../../contract/body.ts";
import { HeaderList } from "../../contract/header-list.ts";
import type {
  ConnectionEvent,
  RefusalReason,
  ServerHandler,
  ServerStream,
  ServerStreamEvents,
  WholeResponse,
} from "../../contract/server.ts";
import { Http1Server } from "./http1-server.ts";
import type { MemoryUse } from "./memory-pressure.ts";

/** A stream with everything that happened to it. */
export class SeenStream implements ServerStreamEvents, BodyReceiver {
  readonly stream: ServerStream;
  body = "";
  bytes = 0;
  /** `end`, `idle`, `malformed`, `writable`, and `close` with its reason or `whole`. */
  readonly events: string[] = [];
  trailers: HeaderList | undefined;
  /** Called for each chunk, at the request's end, and at the stream's end. */
  whenData: (chunk: Uint8Array) => void = () => {};
  whenEnded: () => void = () => {};
  whenClosed: () => void = () => {};

  constructor(stream: ServerStream) {
    this.stream = stream;
    stream.events = this;
  }

  reply(text: string, status = 200, fields: readonly string[] = []): void {
    this.head(status, [...fields, "content-length", String(Buffer.byteLength(text))]);
    this.stream.write(Buffer.from(text));
    this.stream.end();
  }
  head(status: number, fields: readonly string[] = []): void {
    this.stream.sendHead({ status, headers: new HeaderList([...fields]) });
  }
  onData(chunk: Uint8Array): void {
    this.bytes += chunk.byteLength;
    if (this.bytes <= 1024) this.body += Buffer.from(chunk).toString("latin1");
    this.whenData(chunk);
  }
  onEnd(trailers: HeaderList | undefined): void {
    this.trailers = trailers;
    this.events.push("end");
    this.whenEnded();
  }
  onWritable(): void {
    this.events.push("writable");
  }
  onIdle(): void {
    this.events.push("idle");
    this.stream.reset();
  }
  onMalformed(detail: string): void {
    this.events.push(`malformed: ${detail}`);
    this.stream.closeConnectionAfter();
    this.reply("malformed", 400);
  }
  onClose(reason: string | undefined): void {
    this.events.push(`close: ${reason ?? "whole"}`);
    this.whenClosed();
  }
}

export interface ServerRig {
  readonly server: Http1Server;
  readonly port: number;
  readonly streams: SeenStream[];
  readonly refusals: RefusalReason[];
  readonly events: ConnectionEvent[];
}

/** A server whose streams are handled by `onStream`; by default each is answered with its target. */
export async function startServer(
  onStream: (seen: SeenStream) => void = (seen) => seen.reply(`<${seen.stream.head.target}>`),
  limits: Partial<ListenerLimits> = {},
  readMemory: (limitBytes: number) => MemoryUse = () => ({ heapShare: 0, processShare: 0 }),
): Promise<ServerRig> {
  const streams: SeenStream[] = [];
  const refusals: RefusalReason[] = [];
  const events: ConnectionEvent[] = [];
  const handler: ServerHandler = {
    onStream(stream) {
      const seen = new SeenStream(stream);
      streams.push(seen);
      onStream(seen);
    },
    onRefused(reason, detail): WholeResponse {
      refusals.push(reason);
      const body = Buffer.from(detail);
      const status = reason === "request_timeout" ? 408 : reason === "request_headers_too_large" ? 431 : 400;
      return { status, headers: new HeaderList(["content-length", String(body.byteLength)]), body };
    },
    onConnectionEvent: (event) => void events.push(event),
    onHandshake: () => {},
    onRaw: () => assert.fail("no raw connection is accepted"),
  };
  let connections = 0;
  const settings = {
    limits: { ...DEFAULT_LISTENER_LIMITS, ...limits },
    upgradeProtocols: ["websocket"],
    scheduler,
    newConnectionId: () => `c${connections++}`,
    proxyProtocol: false,
    tls: NO_TLS,
    tlsServers: [],
  };
  const server = new Http1Server(settings, handler, readMemory);
  await server.listen("127.0.0.1", 0);
  onCleanup(() => {
    const closed = server.close(0);
    server.cut();
    return closed;
  });
  return { server, port: server.port ?? 0, streams, refusals, events };
}

/** A client that records what it receives. */
export class RawClient {
  readonly socket: Socket;
  received = "";
  ended = false;
  closed = false;
  error: string | undefined;
  chunks = 0;

  constructor(port: number, first: string | Buffer = "") {
    this.socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    this.socket.on("data", (chunk: Buffer) => {
      this.chunks++;
      this.received += chunk.toString("latin1");
    });
    this.socket.on("end", () => (this.ended = true));
    this.socket.on("error", (error: NodeJS.ErrnoException) => (this.error = error.code));
    this.socket.on("close", () => (this.closed = true));
    if (first.length > 0) this.send(first);
    onCleanup(() => void this.socket.destroy());
  }

  send(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  }

  get statuses(): string {
    return (this.received.match(/HTTP\/1\.1 \d{3}/g) ?? []).map((line) => line.slice(9)).join();
  }
}

export const get = (target: string, fields = ""): string =>
  `GET ${target} HTTP/1.1\r\nhost: a\r\n${fields}\r\n`;

export const post = (target: string, body: string, fields = ""): string =>
  `POST ${target} HTTP/1.1\r\nhost: a\r\ncontent-length: ${body.length}\r\n${fields}\r\n${body}`;
