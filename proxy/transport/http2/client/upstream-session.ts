// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import type { Socket } from "node:net";

import { connectionErrorText } from "../../tls/client/connection-error-text.ts";
import type { TlsConnector } from "../../tls/client/tls-connector.ts";
import type { ClientSettings } from "../../contract/client.ts";
import { openSocket } from "../../raw/open-socket.ts";
import { CONNECTION_WINDOW_BYTES, STREAM_WINDOW_BYTES } from "../constants.ts";
import type { Http2Request, RequestSession } from "./http2-request.ts";
import { SignsOfLife } from "./signs-of-life.ts";

/** The calls of sessions to their pool. */
export interface SessionOwner {
  onConnected(session: UpstreamSession): void;
  /** The session could not be established. */
  onConnectFailed(session: UpstreamSession, detail: string): void;
  /** The session has room for another request. */
  onRoom(session: UpstreamSession): void;
  /** The session takes no further request: its upstream is leaving, or the connection is gone. */
  onLeaving(session: UpstreamSession): void;
}

/** One connection of HTTP/2 to an upstream. */
export class UpstreamSession implements RequestSession {
  /** Monotonic time at which the pool closes a session that is not established, or idle. */
  deadlineMs = Infinity;
  /** Monotonic time from which the session takes no further request. */
  retireAtMs = Infinity;
  isConnecting = true;
  /** Number of requests that were sent on it. */
  requests = 0;
  /** Number of requests under way. */
  active = 0;
  isBroken = false;
  wasUsed = false;
  brokenDetail = "the connection was closed";
  readonly #owner: SessionOwner;
  readonly #socket: Socket;
  readonly #session: ClientHttp2Session;
  readonly #maxStreams: number;
  readonly #life = new SignsOfLife();
  /** Number of requests under way that the upstream allows. */
  #maxRemoteStreams = 0;
  /** Whether the upstream takes extended CONNECT (RFC 8441). */
  #takesUpgrades = false;
  #isLeaving = false;

  /** @param connector Opens connections with TLS; undefined for plain text. */
  constructor(settings: ClientSettings, connector: TlsConnector | undefined, owner: SessionOwner) {
    this.#owner = owner;
    this.#maxStreams = settings.maxConcurrentStreams;
    const socket = openSocket(settings, connector, {});
    this.#socket = socket;
    // The URL is only a form that node:http2 needs: each request brings its own authority.
    const session = connectHttp2("http://upstream", {
      createConnection: () => socket,
      settings: {
        enablePush: false,
        initialWindowSize: STREAM_WINDOW_BYTES,
        maxHeaderListSize: settings.maxHeaderBytes,
      },
    });
    this.#session = session;
    session.on("remoteSettings", ({ maxConcurrentStreams, enableConnectProtocol }) => {
      this.#maxRemoteStreams = maxConcurrentStreams ?? Infinity;
      this.#takesUpgrades = enableConnectProtocol === true;
      if (this.isConnecting) this.#onEstablished();
      else this.#owner.onRoom(this);
    });
    session.on("goaway", (code: number) => this.#leave(`the upstream said GOAWAY with code ${code}`));
    session.on("error", (error: NodeJS.ErrnoException) =>
      this.#onBroken(connectionErrorText(error, connector !== undefined)),
    );
    session.on("close", () => this.#onBroken(this.brokenDetail));
  }

  /** Whether it takes a request now. */
  get hasRoom(): boolean {
    if (this.isConnecting || this.#isLeaving || this.isBroken || this.#session.destroyed) return false;
    return this.active < Math.min(this.#maxStreams, this.#maxRemoteStreams);
  }

  /** Sends a request that it has room for. */
  send(request: Http2Request): void {
    if (request.upgrade !== undefined && !this.#takesUpgrades) {
      request.refuse("protocol-error", "the upstream takes no extended CONNECT (RFC 8441)");
      return;
    }
    this.requests++;
    this.active++;
    this.deadlineMs = Infinity;
    const stream = this.#session.request(request.fields, {
      endStream: request.isHeadOnly,
      waitForTrailers: request.mayHaveTrailers,
    });
    request.startOn(this, stream);
  }

  onAnswered(): void {
    this.wasUsed = true;
  }

  onStreamClosed(): void {
    this.active--;
    if (this.#isLeaving) this.#closeWhenIdle();
    this.#owner.onRoom(this);
  }

  /** Takes no further request, and closes the connection with the last one. */
  retire(): void {
    this.#leave("the connection is retired");
    this.#closeWhenIdle();
  }

  /** Called at fixed intervals: pings an upstream that has been silent, and cuts the connection to one that is dead. */
  checkLife(): void {
    const next = this.#life.check(this.active > 0, this.#socket.bytesRead);
    if (next === "ping" && !this.#session.destroyed) this.#session.ping(() => {});
    else if (next === "dead") this.cut("the upstream did not answer a PING");
  }

  /** Cuts the connection, and resets the requests on it. */
  cut(detail: string): void {
    this.brokenDetail = detail;
    this.isBroken = true;
    this.#session.destroy();
    this.#socket.destroy();
  }

  /**
   * The upstream's SETTINGS have come, the first frame that it sends. Before them, nobody knows how many requests it takes, and
   * whether it speaks HTTP/2 at all.
   */
  #onEstablished(): void {
    if (this.isBroken) return;
    this.#session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
    this.#owner.onConnected(this);
  }

  /** Not with requests under way: nghttp2 refuses a stream that it has not begun to send before its GOAWAY. */
  #closeWhenIdle(): void {
    if (this.active === 0 && !this.#session.destroyed) this.#session.close();
  }

  #leave(detail: string): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    if (!this.isBroken) this.brokenDetail = detail;
    if (!this.isConnecting) this.#owner.onLeaving(this);
  }

  #onBroken(detail: string): void {
    const wasBroken = this.isBroken;
    this.isBroken = true;
    if (!wasBroken) this.brokenDetail = detail;
    this.#socket.destroy();
    if (this.#isLeaving) return;
    if (this.isConnecting) {
      this.#isLeaving = true;
      this.#owner.onConnectFailed(this, this.brokenDetail);
    } else {
      this.#leave(this.brokenDetail);
    }
  }
}
