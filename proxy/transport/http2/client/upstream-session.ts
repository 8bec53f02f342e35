// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Socket } from "node:net";

import { connectionErrorText } from "../../tls/client/connection-error-text.ts";
import type { TlsConnector } from "../../tls/client/tls-connector.ts";
import type { ClientSettings } from "../../contract/client.ts";
import { openSocket } from "../../raw/open-socket.ts";
import type { ConnectionEvents } from "../connection/connection-events.ts";
import { FramedConnection } from "../connection/framed-connection.ts";
import { SETTING, STREAM_WINDOW_BYTES } from "../constants.ts";
import type { Http2Request, RequestSession } from "./http2-request.ts";
import { ReadMemory } from "./read-memory.ts";
import type { PooledSession, SessionOwner } from "./pooled-session.ts";
import { CHECK_MS, SignsOfLife } from "./signs-of-life.ts";

type SessionSettings = Pick<
  ClientSettings,
  | "host"
  | "port"
  | "maxConcurrentStreams"
  | "tcpKeepaliveTimeMs"
  | "maxHeaderBytes"
  | "proxyProtocol"
  | "proxiedEnds"
>;

/** Ticks of the connection's limits for frames at each check: one for each second. */
const TICKS_OF_CHECK = CHECK_MS / 1_000;

/** Number of requests for which a connection has ids (RFC 9113, section 5.1.1). */
const MAX_REQUESTS = 2 ** 30;

const NO_BYTES = Buffer.alloc(0);

/** One connection of HTTP/2 to an upstream. */
export class UpstreamSession implements PooledSession<Http2Request>, RequestSession, ConnectionEvents {
  deadlineMs = Infinity;
  retireAtMs = Infinity;
  isConnecting = true;
  requests = 0;
  wasUsed = false;
  isFaulty = false;
  brokenDetail = "the connection was closed";
  readonly #owner: SessionOwner<Http2Request>;
  readonly #socket: Socket;
  readonly #connection: FramedConnection;
  readonly #maxStreams: number;
  readonly #life = new SignsOfLife();
  #isLeaving = false;

  /** @param connector Opens connections with TLS; undefined for plain text. */
  constructor(
    settings: SessionSettings,
    connector: TlsConnector | undefined,
    owner: SessionOwner<Http2Request>,
  ) {
    this.#owner = owner;
    this.#maxStreams = settings.maxConcurrentStreams;
    const { maxHeaderBytes } = settings;
    const isSecure = connector !== undefined;
    const memory = new ReadMemory();
    const options = {
      onread: {
        buffer: () => memory.next(),
        callback: (length: number, bytes: Uint8Array) => {
          this.#connection.receive(memory.take(length, bytes));
          return true;
        },
      },
    };
    const socket = openSocket(settings, connector, options);
    this.#socket = socket;
    socket.once(isSecure ? "secureConnect" : "connect", () => this.#connection.start(NO_BYTES));
    socket.on("error", (error) => (this.brokenDetail = connectionErrorText(error, isSecure)));
    // After a GOAWAY of this side, nothing of the upstream's is waited for.
    socket.once("finish", () => socket.destroy());
    const mine: number[] = [SETTING.enablePush, 0];
    mine.push(SETTING.initialWindowSize, STREAM_WINDOW_BYTES, SETTING.maxHeaderListSize, maxHeaderBytes);
    const sides = { isServer: false, settings: mine, maxHeaderBytes, maxPeerStreams: 0 };
    this.#connection = new FramedConnection(socket, sides, this);
  }

  get active(): number {
    return this.#connection.active;
  }

  get hasRoom(): boolean {
    const connection = this.#connection;
    if (this.isConnecting || this.#isLeaving || !connection.isOpen) return false;
    return connection.active < Math.min(this.#maxStreams, connection.peer.maxConcurrentStreams);
  }

  send(request: Http2Request): void {
    if (request.upgrade !== undefined && !this.#connection.peer.takesConnect) {
      const detail = "the upstream takes no extended CONNECT (RFC 8441)";
      // The client's `open` is under way, and calls no receiver before it returns.
      queueMicrotask(() => request.refuse("protocol-error", detail));
      return;
    }
    this.requests++;
    this.deadlineMs = Infinity;
    const stream = this.#connection.open();
    if (stream !== undefined) request.startOn(this, stream);
    if (this.requests >= MAX_REQUESTS) this.retire();
  }

  onAnswered(): void {
    this.wasUsed = true;
  }

  retire(): void {
    this.#leave("the connection is retired");
    this.#connection.closeGently();
  }

  checkLife(): void {
    const connection = this.#connection;
    // An upstream that does not read the GOAWAY is not waited for.
    if (!this.isConnecting && !connection.isOpen) return connection.destroy();
    for (let tick = 0; tick < TICKS_OF_CHECK; tick++) connection.onTick();
    const next = this.#life.check(connection.active > 0, this.#socket.bytesRead);
    if (next === "ping") connection.ping();
    else if (next === "dead") this.cut("the upstream did not answer a PING");
  }

  cut(detail: string): void {
    this.brokenDetail = detail;
    this.#connection.destroy();
  }

  /** No upstream opens streams: pushes are not enabled. */
  onStream(): void {}

  /**
   * The first SETTINGS are the first frame that an upstream sends. Before them, nobody knows how many requests it takes, and
   * whether it speaks HTTP/2 at all.
   */
  onSettings(): void {
    if (this.isConnecting) this.#owner.onConnected(this);
    else this.#owner.onRoom(this);
  }

  onGoaway(_lastStreamId: number, code: number): void {
    const detail = `the upstream said GOAWAY with code ${code}`;
    this.brokenDetail = detail;
    this.#leave(detail);
    this.#connection.closeGently();
  }

  /** This side never announces its end: it opens the streams itself. */
  onEndKnown(): void {}

  onStreamClosed(): void {
    if (!this.isConnecting) this.#owner.onRoom(this);
  }

  onFlood(): void {
    this.onFault("the upstream sent too many frames without need");
  }

  onFault(detail: string): void {
    this.isFaulty = true;
    this.brokenDetail = detail;
    this.#leave(detail);
  }

  onClosed(): void {
    if (this.isConnecting) this.#owner.onConnectFailed(this, this.brokenDetail);
    else this.#owner.onClosed(this);
  }

  #leave(detail: string): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.brokenDetail = detail;
    if (!this.isConnecting) this.#owner.onLeaving(this);
  }
}
