// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { HeaderList } from "./header-list.ts";

/**
 * Receives a body chunk by chunk. Codecs call it, whoever forwards the body implements it; a call allocates
 * nothing.
 */
export interface BodyReceiver {
  /** The receiver owns the chunk. Chunks keep coming until `pause`, and a few may come after it. */
  onData(chunk: Uint8Array): void;
  /** The last call. Trailers are as they arrived; undefined when there are none. */
  onEnd(trailers: HeaderList | undefined): void;
}

/** The side of a stream that a body arrives on, with back-pressure. Both calls are idempotent. */
export interface BodySource {
  pause(): void;
  resume(): void;
}

/** The side of a stream that a body is sent on. */
export interface BodySink {
  /**
   * Accepts the chunk in any case. Returns false when the caller should wait for `onWritable`
   * (back-pressure).
   */
  write(chunk: Uint8Array): boolean;
  /** Ends the body. Trailers that the connection's protocol cannot carry are dropped. */
  end(trailers?: HeaderList): void;
}
