// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Socket } from "node:net";

import type { TlsServer } from "../../../../core/traffic/resources/tls.ts";
import type { ConnectionFacts } from "../../contract/connection.ts";
import type { WholeResponse } from "../../contract/server.ts";
import { MessageFault } from "../../http1/messages/message-fault.ts";
import type { AcceptedConnection, ConnectionServer, Secure } from "../../http1/server/accepted-connection.ts";
import { TimeLimits } from "../../http1/server/time-limits.ts";
import type { ConnectionEvents } from "../connection/connection-events.ts";
import { FramedConnection } from "../connection/framed-connection.ts";
import type { FramedStream } from "../connection/framed-stream.ts";
import { PrematureResets } from "../connection/premature-resets.ts";
import type { StreamEnd } from "../connection/stream-host.ts";
import { CODE, MAX_CONCURRENT_STREAMS, SETTING, STREAM_WINDOW_BYTES } from "../constants.ts";
import type { FieldCollector } from "../fields/field-collector.ts";
import { requestHeadOf } from "../fields/request-fields.ts";
import { Http2ServerStream, type StreamConnection } from "./http2-server-stream.ts";

/** Time in which a client must acknowledge SETTINGS, in lingering times of 1 s: nghttp2's server allows 10 s. */
const SETTINGS_LINGERS = 10;

/** One client's connection of HTTP/2, with its streams. */
export class Http2Connection implements AcceptedConnection, StreamConnection, ConnectionEvents {
  readonly facts: ConnectionFacts;
  readonly tlsServer: TlsServer | undefined;
  readonly clock: ConnectionServer;
  wasCut = false;
  readonly #server: ConnectionServer;
  readonly #socket: Socket;
  readonly #connection: FramedConnection;
  readonly #resets = new PrematureResets();
  /** Time since the connection's last stream. */
  readonly #limits: TimeLimits;
  /** The tick at which the connection began. */
  #beginTick: number;
  /** The tick at which a head was seen that is not complete, and its number. */
  #headTick: number | undefined = undefined;
  #headNumber = 0;
  #isAnnounced = false;
  /** Whether the last GOAWAY is sent. */
  #isClosing = false;
  /** The tick since which nothing is read or written any more. */
  #endTick: number | undefined = undefined;
  /** The tick since which the client does not read. */
  #unreadTick: number | undefined = undefined;
  #isClosed = false;

  /** @param first Bytes that were read from the socket already. */
  constructor(
    socket: Socket,
    facts: ConnectionFacts,
    server: ConnectionServer,
    first: Buffer,
    secure: Secure | undefined,
  ) {
    this.#server = server;
    this.clock = server;
    this.#socket = socket;
    this.facts = facts;
    this.tlsServer = secure?.server;
    this.#limits = new TimeLimits(server);
    this.#limits.onHead();
    this.#beginTick = server.tick;
    const { maxHeaderBytes, upgradeProtocols } = server;
    const options = {
      isServer: true,
      settings: settingsOf(maxHeaderBytes, upgradeProtocols.length > 0),
      maxHeaderBytes,
      maxPeerStreams: MAX_CONCURRENT_STREAMS,
    };
    this.#connection = new FramedConnection(socket, options, this);
    this.#connection.start(first);
  }

  onTick(): void {
    const connection = this.#connection;
    for (const stream of connection.streams)
      if (stream.events instanceof Http2ServerStream) stream.events.onTick();
    connection.onTick();
    const { tick, limitTicks, drainGraceTicks } = this.#server;
    const { endingTick } = this.#limits;
    if (!connection.isOpen) {
      this.#endTick ??= tick;
      if (tick - this.#endTick > limitTicks.linger) this.#socket.destroy();
      return;
    }
    if (this.#isUnreadTooLong()) return this.cut();
    if (this.#isClosing) return;
    if (this.#isHeadOverdue()) return this.cut();
    if (!connection.isSettled && tick - this.#beginTick > SETTINGS_LINGERS * limitTicks.linger)
      return connection.endWith(CODE.settingsTimeout);
    if (endingTick !== undefined) this.#announceEnd();
    if (connection.active === 0 && this.#limits.headOverdue(true) === "idle") return this.#closeGently();
    if (endingTick === undefined || tick - endingTick <= drainGraceTicks) return;
    this.#closeAfterAnnouncement();
  }

  retire(): void {
    this.#limits.retire();
  }

  rescale(factor: number): void {
    this.#limits.rescale(factor);
    for (const stream of this.#connection.streams)
      if (stream.events instanceof Http2ServerStream) stream.events.limits.rescale(factor);
    // A time that was counted from one of these ticks begins anew.
    const { tick } = this.#server;
    this.#beginTick = tick;
    if (this.#headTick !== undefined) this.#headTick = tick;
    if (this.#endTick !== undefined) this.#endTick = tick;
    if (this.#unreadTick !== undefined) this.#unreadTick = tick;
  }

  cut(): void {
    this.wasCut = true;
    this.#connection.destroy();
  }

  onResponse(): void {
    if (!this.#isAnnounced && (this.#limits.isRetired || this.#server.stopsKeepAlive())) this.#announceEnd();
  }

  // Events of the connection.

  onStream(stream: FramedStream, fields: FieldCollector, endsStream: boolean): void {
    const head = requestHeadOf(fields, endsStream, this.#server.upgradeProtocols);
    if (head === "malformed") return stream.fail(CODE.protocolError);
    if (head instanceof MessageFault) {
      refuse(stream, this.#server.handler.onRefused(head.reason, head.detail));
      return;
    }
    this.#server.handler.onStream(new Http2ServerStream(this, stream, head));
  }

  onStreamClosed(stream: FramedStream, end: StreamEnd): void {
    this.#limits.onActive();
    if (this.#resets.onStreamClosed(this.#isPremature(stream, end)) && this.#connection.isOpen) {
      this.onFlood();
      this.#connection.endWith(CODE.enhanceYourCalm);
    }
  }

  onSettings(): void {
    // The peer's settings concern the connection alone.
  }

  /** The client is leaving: the connection ends with the streams under way. */
  onGoaway(): void {
    this.#closeGently();
  }

  onEndKnown(): void {
    if (this.#isAnnounced && !this.#isClosing) this.#closeAfterAnnouncement();
  }

  onFlood(): void {
    this.wasCut = true;
    this.#server.handler.onConnectionEvent("http2_flood");
  }

  onFault(): void {
    // Each stream's end says that the connection ended.
  }

  onClosed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#server.onClosed(this);
  }

  /**
   * Whether the client ended a stream soon after it had opened it, by a reset or by a fault that made the proxy reset it
   * (CVE-2025-8671).
   */
  #isPremature({ events }: FramedStream, end: StreamEnd): boolean {
    if (end !== "peer-reset" && end !== "peer-fault") return false;
    const { tick, limitTicks } = this.#server;
    return !(events instanceof Http2ServerStream) || tick - events.openedTick <= limitTicks.prematureReset;
  }

  /** Whether the client's SETTINGS, or the rest of a head, did not come in time. */
  #isHeadOverdue(): boolean {
    const connection = this.#connection;
    const { tick, limitTicks } = this.#server;
    if (!connection.hasSettings) return tick - this.#beginTick > limitTicks.headers;
    if (!connection.isWithinHead || connection.headsBegun !== this.#headNumber) {
      this.#headNumber = connection.headsBegun;
      this.#headTick = connection.isWithinHead ? tick : undefined;
    }
    return this.#headTick !== undefined && tick - this.#headTick > limitTicks.headers;
  }

  /** Whether the client has left what it asked for unread for the idle limit of streams. */
  #isUnreadTooLong(): boolean {
    const { tick, limitTicks } = this.#server;
    if (!this.#connection.isReadPaused) this.#unreadTick = undefined;
    else this.#unreadTick ??= tick;
    return this.#unreadTick !== undefined && tick - this.#unreadTick > limitTicks.streamIdle;
  }

  /** The first GOAWAY of a shutdown: the client opens no further stream, and none that is on its way is lost. */
  #announceEnd(): void {
    if (this.#isAnnounced) return;
    this.#isAnnounced = true;
    this.#connection.announceEnd();
  }

  /** Ends the connection once the client knows of it, or at the end of the drain's grace for a client that does not answer. */
  #closeAfterAnnouncement(): void {
    const isDrained = this.#limits.endingTick !== undefined;
    if (isDrained && this.#connection.active === 0) this.#server.handler.onConnectionEvent("drain_close");
    this.#closeGently();
  }

  /** The last GOAWAY: the streams under way are the last ones, and the connection ends with them. */
  #closeGently(): void {
    this.#isAnnounced = true;
    this.#isClosing = true;
    this.#connection.closeGently();
  }
}

function settingsOf(maxHeaderBytes: number, takesConnect: boolean): readonly number[] {
  const settings: number[] = [
    SETTING.maxConcurrentStreams,
    MAX_CONCURRENT_STREAMS,
    SETTING.initialWindowSize,
    STREAM_WINDOW_BYTES,
    SETTING.maxHeaderListSize,
    maxHeaderBytes,
  ];
  if (takesConnect) settings.push(SETTING.enableConnectProtocol, 1);
  return settings;
}

/** Answers a request that is refused before it becomes a stream of the contract. */
function refuse(stream: FramedStream, { status, headers, body }: WholeResponse): void {
  stream.sendHead([":status", String(status)], headers.sendable(), false);
  stream.write(body);
  stream.end();
}
