// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { CODE, FLAG, FRAME, MAX_FRAME_BYTES } from "../constants.ts";

/** A fault of a frame's header, which ends the connection. */
export interface FrameFault {
  readonly code: number;
  readonly detail: string;
}

const TOO_LARGE: FrameFault = { code: CODE.frameSizeError, detail: "a frame is larger than allowed" };
const WRONG_SIZE: FrameFault = { code: CODE.frameSizeError, detail: "a frame has the wrong size" };
const NO_STREAM: FrameFault = { code: CODE.protocolError, detail: "a frame of a stream names no stream" };
const STREAM: FrameFault = { code: CODE.protocolError, detail: "a frame of the connection names a stream" };
const PUSH: FrameFault = { code: CODE.protocolError, detail: "a PUSH_PROMISE came, which is not enabled" };
const NO_HEAD: FrameFault = { code: CODE.protocolError, detail: "a CONTINUATION continues no head" };
const PADDING: FrameFault = { code: CODE.protocolError, detail: "a frame's padding is as long as the frame" };

/** The rules for the size and the stream of each type of frame (RFC 9113, sections 4.2 and 6). Unknown types have none. */
export function frameFaultOf(
  type: number,
  flags: number,
  streamId: number,
  length: number,
): FrameFault | undefined {
  if (length > MAX_FRAME_BYTES) return TOO_LARGE;
  switch (type) {
    case FRAME.data:
    case FRAME.headers:
      if (streamId === 0) return NO_STREAM;
      return length < prefixBytes(type, flags) ? paddingFault(flags) : undefined;
    case FRAME.priority:
      return streamId === 0 ? NO_STREAM : undefined;
    case FRAME.rstStream:
      if (streamId === 0) return NO_STREAM;
      return length === 4 ? undefined : WRONG_SIZE;
    case FRAME.settings:
      if (streamId !== 0) return STREAM;
      return ((flags & FLAG.ack) !== 0 ? length === 0 : length % 6 === 0) ? undefined : WRONG_SIZE;
    case FRAME.pushPromise:
      return PUSH;
    case FRAME.ping:
      if (streamId !== 0) return STREAM;
      return length === 8 ? undefined : WRONG_SIZE;
    case FRAME.goaway:
      if (streamId !== 0) return STREAM;
      return length >= 8 ? undefined : WRONG_SIZE;
    case FRAME.windowUpdate:
      return length === 4 ? undefined : WRONG_SIZE;
    case FRAME.continuation:
      return NO_HEAD;
    default:
      return undefined;
  }
}

/** Bytes of a DATA or HEADERS frame before its content: the length of the padding, and a priority. */
export function prefixBytes(type: number, flags: number): number {
  const padding = (flags & FLAG.padded) === 0 ? 0 : 1;
  return type === FRAME.headers && (flags & FLAG.priority) !== 0 ? padding + 5 : padding;
}

/** The fault of a frame that is too short for its prefix and its padding. */
export function paddingFault(flags: number): FrameFault {
  return (flags & FLAG.padded) === 0 ? WRONG_SIZE : PADDING;
}
