// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Linked } from "../../../../kernel/linked-list.ts";
import type { HeaderList } from "../../contract/header-list.ts";
import type { FieldCollector } from "../fields/field-collector.ts";
import type { FrameWriter } from "../frames/frame-writer.ts";
import type { HpackEncoder } from "../hpack/hpack-encoder.ts";

/** How a stream ended. */
export type StreamEnd =
  /** Both sides sent all that they had to, or this side has answered and needs no more of the request. */
  | "complete"
  /** The peer sent RST_STREAM. */
  | "peer-reset"
  /** The peer broke a rule, and was told so by RST_STREAM. */
  | "peer-fault"
  /** This side reset the stream. */
  | "local-reset"
  /** The connection ended. */
  | "connection"
  /** The peer's GOAWAY says that it never processes the stream. */
  | "refused";

/** Receives what happens on one stream. */
export interface StreamEvents {
  /** A head that is no request: an informational response, or the response. `fields` is valid during the call. */
  onHead(fields: FieldCollector, endsStream: boolean): void;
  /** A part of the body. The receiver owns it. None comes while the stream is paused, as it is in the beginning. */
  onData(part: Buffer): void;
  /** The body has ended. */
  onEnd(trailers: HeaderList | undefined): void;
  /** `write` may be called again. */
  onWritable(): void;
  /**
   * The last call.
   *
   * @param code The code of the RST_STREAM, of either side.
   */
  onClose(end: StreamEnd, code: number): void;
}

/** A stream as the connection's list sees it. */
export interface ListedStream extends Linked<ListedStream> {
  readonly id: number;
  sendInTurn(): void;
}

/** The connection as its streams see it. */
export interface StreamHost {
  readonly isOpen: boolean;
  readonly writer: FrameWriter;
  readonly encoder: HpackEncoder;
  /** Bytes that the peer takes on the connection. */
  sendWindow: number;
  /** Whether the socket takes more bytes without holding them for long. */
  readonly canWrite: boolean;
  /** Lists a stream that has bytes to send, or waits for `canWrite`. */
  await(stream: ListedStream): void;
  /** A stream has written DATA. */
  onDataSent(): void;
  /** The receiver took bytes of a body. */
  onConsumed(bytes: number): void;
  /** Parts of bodies that wait for their receivers were added, or taken. */
  onHeld(parts: number): void;
  onStreamClosed(stream: ListedStream, end: StreamEnd): void;
}
