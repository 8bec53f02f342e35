// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { FieldCollector } from "../fields/field-collector.ts";
import type { FramedStream } from "./framed-stream.ts";
import type { StreamEnd } from "./stream-host.ts";

/** Settings and limits of one side of a connection. */
export interface ConnectionOptions {
  /** Whether the peer is a client. */
  readonly isServer: boolean;
  /** This side's SETTINGS: identifier, value, identifier, value … */
  readonly settings: readonly number[];
  /** Maximum size of a head, in bytes: packed, and as a list of fields (RFC 9113, section 6.5.2). */
  readonly maxHeaderBytes: number;
  /** Streams that the peer may have under way. */
  readonly maxPeerStreams: number;
}

/** Receives what happens on the connection. */
export interface ConnectionEvents {
  /** A client's head came. Must set the stream's `events`, or reset it. `fields` is valid during the call. */
  onStream(stream: FramedStream, fields: FieldCollector, endsStream: boolean): void;
  /** The peer's SETTINGS came; they are in `peer`. */
  onSettings(): void;
  /** The peer opens no further streams, and processes none above `lastStreamId`; those end with `refused` after this call. */
  onGoaway(lastStreamId: number, code: number): void;
  /** The peer has read the GOAWAY of `announceEnd`. A faulty peer may cause the call without one. */
  onEndKnown(): void;
  /** Called before the stream's own `onClose`. */
  onStreamClosed(stream: FramedStream, end: StreamEnd): void;
  /** The peer passed a limit for frames. The connection has sent a GOAWAY, and takes no further frame. */
  onFlood(): void;
  /** The peer broke a rule. The connection has sent a GOAWAY, and takes no further frame. */
  onFault(detail: string): void;
  /** The connection is gone, and its streams have ended. The last call. */
  onClosed(error: Error | undefined): void;
}
