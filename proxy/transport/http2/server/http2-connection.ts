// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";

import type { TlsServer } from "../../../../core/traffic/resources/tls.ts";
import type { ConnectionFacts } from "../../contract/connection.ts";
import type { WholeResponse } from "../../contract/server.ts";
import type { AcceptedConnection, ConnectionServer, Secure } from "../../http1/server/accepted-connection.ts";
import { MessageFault } from "../../http1/messages/message-fault.ts";
import { TimeLimits } from "../../http1/server/time-limits.ts";
import {
  CODE,
  CONNECTION_WINDOW_BYTES,
  FLAG,
  LAST_STREAM_ID,
  MAX_CONCURRENT_STREAMS,
  STREAM_WINDOW_BYTES,
} from "../constants.ts";
import { outgoingFields } from "../fields/outgoing-fields.ts";
import { requestHeadOf } from "../fields/request-fields.ts";
import { type GuardEvents, GuardedSocket } from "./guarded-socket.ts";
import { Http2ServerStream, respondOptions, type StreamConnection } from "./http2-server-stream.ts";
import { PrematureResets } from "./premature-resets.ts";

/**
 * DATA frames of a connection that wait to be handed on. Each takes some 200 bytes besides its payload, so that a client
 * with many small frames holds 2 MB at most.
 */
const MAX_HELD_FRAMES = 10_000;

/** One client's connection of HTTP/2: a session of node:http2 on a guarded socket, with its streams. */
export class Http2Connection implements AcceptedConnection, StreamConnection, GuardEvents {
  readonly facts: ConnectionFacts;
  readonly tlsServer: TlsServer | undefined;
  readonly clock: ConnectionServer;
  wasCut = false;
  isClosed = false;
  readonly #server: ConnectionServer;
  readonly #socket: Socket;
  readonly #session: ServerHttp2Session;
  readonly #streams = new Map<number, Http2ServerStream>();
  readonly #resets = new PrematureResets();
  /** Time since the connection's last stream. */
  readonly #limits: TimeLimits;
  /** The tick at which the connection began, until the client's SETTINGS have come. */
  #prefaceTick: number | undefined;
  /** The tick at which a head began that is not complete. */
  #headTick: number | undefined = undefined;
  #heldFrames = 0;
  /** DATA frames of streams that Node has not announced yet: the guard sees a chunk's frames first. */
  readonly #earlyFrames = new Map<number, number>();
  #lastStreamId = 0;
  #isAnnounced = false;
  /** The tick at which the session was closed. */
  #closingTick: number | undefined = undefined;

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
    this.#prefaceTick = server.tick;
    const guarded = new GuardedSocket(socket, first, server.maxHeaderBytes, this);
    this.#session = performServerHandshake(guarded, {
      settings: {
        initialWindowSize: STREAM_WINDOW_BYTES,
        maxConcurrentStreams: MAX_CONCURRENT_STREAMS,
        maxHeaderListSize: server.maxHeaderBytes,
        enableConnectProtocol: server.upgradeProtocols.length > 0,
      },
    });
    this.#session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
    this.#session.on("stream", (stream, _headers, flags, raw?: string[]) =>
      this.#onStream(stream, flags, raw ?? []),
    );
    this.#session.on("remoteSettings", () => (this.#prefaceTick = undefined));
    this.#session.on("error", ignore);
    this.#session.on("close", () => (this.#closingTick ??= server.tick));
    guarded.on("error", ignore);
    socket.on("close", () => this.#onClose());
  }

  onTick(): void {
    for (const stream of this.#streams.values()) stream.onTick();
    const { tick, limitTicks, drainGraceTicks } = this.#server;
    const { endingTick } = this.#limits;
    if (this.#closingTick !== undefined) {
      if (this.#streams.size === 0 && tick - this.#closingTick > limitTicks.linger) this.#socket.destroy();
      return;
    }
    const awaitedSince = this.#prefaceTick ?? this.#headTick;
    if (awaitedSince !== undefined && tick - awaitedSince > limitTicks.headers) return this.cut();
    if (endingTick !== undefined) this.#announceEnd();
    if (this.#streams.size === 0 && this.#limits.headOverdue(true) === "idle") return this.#closeGently();
    if (endingTick === undefined || tick - endingTick <= drainGraceTicks) return;
    if (this.#streams.size === 0) this.#server.handler.onConnectionEvent("drain_close");
    this.#closeGently();
  }

  retire(): void {
    this.#limits.retire();
  }

  rescale(factor: number): void {
    this.#limits.rescale(factor);
    for (const stream of this.#streams.values()) stream.limits.rescale(factor);
    // A time that was counted from one of these ticks begins anew.
    if (this.#prefaceTick !== undefined) this.#prefaceTick = this.#server.tick;
    if (this.#headTick !== undefined) this.#headTick = this.#server.tick;
    if (this.#closingTick !== undefined) this.#closingTick = this.#server.tick;
  }

  cut(): void {
    this.wasCut = true;
    this.#session.destroy();
    this.#socket.destroy();
  }

  onResponse(): void {
    if (!this.#isAnnounced && (this.#limits.isRetired || this.#server.stopsKeepAlive())) this.#announceEnd();
  }

  onStreamClosed(stream: Http2ServerStream): void {
    this.#streams.delete(stream.id);
    this.#limits.onActive();
    if (this.#resets.onStreamClosed(stream.wasResetPrematurely)) this.onFlood();
  }

  onHeadBegin(): void {
    this.#headTick ??= this.#server.tick;
  }

  onHeadEnd(): void {
    this.#headTick = undefined;
  }

  onEndSent(streamId: number): void {
    this.#streams.get(streamId)?.onEndSent();
  }

  onGoawaySent(): void {
    if (this.#isAnnounced) return;
    // nghttp2 sends it after a fault of the client, and reads nothing more; Node would leave the connection open.
    this.#isAnnounced = true;
    setImmediate(() => this.#session.destroy());
  }

  onDataFrame(streamId: number): void {
    const stream = this.#streams.get(streamId);
    if (stream !== undefined) stream.heldFrames++;
    else if (streamId > this.#lastStreamId)
      this.#earlyFrames.set(streamId, 1 + (this.#earlyFrames.get(streamId) ?? 0));
    else return;
    // Streams count their frames down by themselves: the sum is taken anew when it seems too large.
    if (++this.#heldFrames <= MAX_HELD_FRAMES) return;
    let held = 0;
    for (const each of this.#streams.values()) held += each.heldFrames;
    for (const count of this.#earlyFrames.values()) held += count;
    this.#heldFrames = held;
    if (held > MAX_HELD_FRAMES) this.onFlood();
  }

  onFlood(): void {
    if (this.wasCut) return;
    this.#server.handler.onConnectionEvent("http2_flood");
    this.wasCut = true;
    // Called while Node's own code may be reading: the session ends in the next turn.
    setImmediate(() => this.#endWith(CODE.enhanceYourCalm));
  }

  #onStream(stream: ServerHttp2Stream, flags: number, raw: readonly string[]): void {
    const isComplete = (flags & FLAG.endStream) !== 0;
    const held = this.#takeEarlyFrames(stream.id ?? 0);
    const head = requestHeadOf(raw, !isComplete, this.#server.upgradeProtocols);
    if (head instanceof MessageFault) {
      refuse(stream, this.#server.handler.onRefused(head.reason, head.detail));
      return;
    }
    const adapter = new Http2ServerStream(this, stream, head, isComplete);
    adapter.heldFrames = held;
    this.#streams.set(adapter.id, adapter);
    this.#server.handler.onStream(adapter);
  }

  #takeEarlyFrames(streamId: number): number {
    this.#lastStreamId = streamId;
    const early = this.#earlyFrames;
    if (early.size === 0) return 0;
    const held = early.get(streamId) ?? 0;
    // Streams before this one were refused by Node.
    for (const id of early.keys()) if (id <= streamId) early.delete(id);
    return held;
  }

  /** The first GOAWAY of a shutdown: the client opens no further stream, and none that is on its way is lost. */
  #announceEnd(): void {
    if (this.#isAnnounced || this.#session.destroyed) return;
    this.#isAnnounced = true;
    this.#session.goaway(CODE.noError, LAST_STREAM_ID);
  }

  /** The last GOAWAY: the streams under way are the last ones, and the connection ends with them. */
  #closeGently(): void {
    this.#isAnnounced = true;
    this.#closingTick = this.#server.tick;
    this.#session.close();
  }

  /** Ends the connection with all of its streams, so that the client learns why. */
  #endWith(code: number): void {
    if (this.#session.destroyed) return;
    this.#isAnnounced = true;
    this.#session.goaway(code);
    // Destroyed at once, the session would lose the frame.
    setImmediate(() => this.#session.destroy());
  }

  #onClose(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    if (!this.#session.destroyed) this.#session.destroy();
    for (const stream of this.#streams.values()) stream.close();
    this.#server.onClosed(this);
  }
}

/** Answers a request that is refused before it becomes a stream of the contract. */
function refuse(stream: ServerHttp2Stream, { status, headers, body }: WholeResponse): void {
  stream.on("error", ignore);
  stream.respond({ ...outgoingFields(headers), ":status": status }, respondOptions(false, false));
  stream.end(body);
}

function ignore(): void {
  // The `close` event follows.
}
