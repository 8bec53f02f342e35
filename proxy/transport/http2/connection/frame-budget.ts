// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { FLAG, FRAME } from "../constants.ts";

/** Frames with an empty payload that may follow each other; Envoy's max_consecutive_inbound_frames_with_empty_payload. */
const MAX_EMPTY_FRAMES = 1;
/** Envoy's max_inbound_priority_frames_per_stream. */
const MAX_PRIORITY_FRAMES_PER_STREAM = 100;
/** Envoy's max_inbound_window_update_frames_per_data_frame_sent. */
const MAX_WINDOW_UPDATES_PER_DATA_FRAME = 10;
/** WINDOW_UPDATE frames that a connection has for nothing; Envoy's number. */
const FREE_WINDOW_UPDATES = 5;
/**
 * SETTINGS and PING frames that a connection has for nothing, and for each stream. Each one costs an answer. gRPC's libraries
 * send a PING to measure the connection while they receive DATA, and for each interval of a keep-alive: each DATA frame that is
 * sent, and each tick, earns one. Envoy bounds the answers that wait (1,000).
 */
const FREE_CONTROL_FRAMES = 1_000;
const MAX_CONTROL_FRAMES_PER_STREAM = 10;

/**
 * Counts the frames that a peer sends and that cost the proxy more than the peer. The limits and their formulas are
 * Envoy's (source/common/http/http2/protocol_constraints.cc), where Envoy has one.
 */
export class FrameBudget {
  readonly #maxHeaderBytes: number;
  #streams = 0;
  #emptyFrames = 0;
  #priorityFrames = 0;
  #windowUpdates = 0;
  #controlFrames = 0;
  #dataFramesSent = 0;
  #blockBytes = 0;

  /** @param maxHeaderBytes Maximum size of a compressed header block, in bytes. */
  constructor(maxHeaderBytes: number) {
    this.#maxHeaderBytes = maxHeaderBytes;
  }

  /** A DATA frame was sent: it earns the peer WINDOW_UPDATE frames, and a PING. */
  onDataSent(): void {
    this.#dataFramesSent++;
    if (this.#controlFrames > 0) this.#controlFrames--;
  }

  /** Called at each tick of the server's clock, which is a second or less. */
  onTick(): void {
    if (this.#controlFrames > 0) this.#controlFrames--;
  }

  /**
   * Counts a frame of the peer.
   *
   * @param length Size of the payload, in bytes.
   * @returns A sentence when a limit is passed.
   */
  onFrame(type: number, flags: number, length: number): string | undefined {
    switch (type) {
      case FRAME.headers:
        this.#streams++;
        this.#blockBytes = 0;
        return this.#onBlockPart(flags, length);
      case FRAME.continuation:
        return this.#onBlockPart(flags, length);
      case FRAME.data:
        return this.#onPayload(flags, length);
      case FRAME.priority:
        this.#priorityFrames++;
        return this.#priorityFrames > MAX_PRIORITY_FRAMES_PER_STREAM * (1 + this.#streams)
          ? "too many PRIORITY frames"
          : undefined;
      case FRAME.windowUpdate:
        return this.#onWindowUpdate();
      case FRAME.settings:
      case FRAME.ping:
        // Answers to the proxy's own frames have the flag ACK, which is that of END_STREAM.
        if ((flags & FLAG.endStream) === 0) this.#controlFrames++;
        return this.#controlFrames > FREE_CONTROL_FRAMES + MAX_CONTROL_FRAMES_PER_STREAM * this.#streams
          ? "too many SETTINGS and PING frames"
          : undefined;
      default:
        return undefined;
    }
  }

  #onBlockPart(flags: number, length: number): string | undefined {
    this.#blockBytes += length;
    if (this.#blockBytes > this.#maxHeaderBytes) return "a header block is too large";
    return this.#onPayload(flags, length);
  }

  #onPayload(flags: number, length: number): string | undefined {
    this.#emptyFrames = length === 0 && (flags & FLAG.endStream) === 0 ? this.#emptyFrames + 1 : 0;
    return this.#emptyFrames > MAX_EMPTY_FRAMES ? "too many frames with an empty payload" : undefined;
  }

  #onWindowUpdate(): string | undefined {
    this.#windowUpdates++;
    const earned = this.#streams + MAX_WINDOW_UPDATES_PER_DATA_FRAME * this.#dataFramesSent;
    return this.#windowUpdates > FREE_WINDOW_UPDATES + 2 * earned
      ? "too many WINDOW_UPDATE frames"
      : undefined;
  }
}
