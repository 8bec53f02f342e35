// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Receives the frames of a peer, in order. Buffers are views of the socket's bytes: valid during the call only, except for DATA. */
export interface FrameReceiver {
  /**
   * A frame's header came; the payload may still be on its way.
   *
   * @param length Size of the payload with its padding, in bytes.
   */
  onFrame(type: number, flags: number, streamId: number, length: number): void;
  /** A part of a DATA frame's payload, without padding. Never empty. */
  onData(streamId: number, part: Buffer): void;
  /** The last byte of a DATA frame came. */
  onDataEnd(streamId: number, endsStream: boolean): void;
  /** A whole header block: the fragments of a HEADERS frame and of its CONTINUATION frames. */
  onHeaders(streamId: number, endsStream: boolean, block: Buffer, start: number, end: number): void;
  onReset(streamId: number, code: number): void;
  /** The payload has whole entries of 6 bytes. */
  onSettings(payload: Buffer, start: number, end: number): void;
  onSettingsAck(): void;
  /** The payload has 8 bytes. */
  onPing(payload: Buffer, start: number, isAck: boolean): void;
  onGoaway(lastStreamId: number, code: number): void;
  /** `increment` is greater than 0. `streamId` is 0 for the connection. */
  onWindowUpdate(streamId: number, increment: number): void;
  /** A frame broke the rules for one stream. */
  onStreamFault(streamId: number, code: number): void;
  /** A frame broke the rules for the connection. No further call follows. */
  onFault(code: number, detail: string): void;
}
