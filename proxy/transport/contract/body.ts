// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { HeaderList } from "./header-list.ts";

/** Receives a body as it comes. Implemented by whoever forwards it; a codec calls it once a chunk and allocates nothing. */
export interface BodyReceiver {
  /** The chunk is the receiver's. Chunks go on coming until `pause`, and a few may come after it. */
  onData(chunk: Uint8Array): void;
  /** The last call. Trailers are as they came; undefined when there are none. */
  onEnd(trailers: HeaderList | undefined): void;
}

/** The side of a stream on which a body comes in. Both calls may be repeated. */
export interface BodySource {
  pause(): void;
  resume(): void;
}

/** The side of a stream on which a body goes out. */
export interface BodySink {
  /** Takes the chunk in any case. Returns false when no more should come until `onWritable`. */
  write(chunk: Uint8Array): boolean;
  /** Ends the body. Trailers that the connection's protocol cannot carry are dropped. */
  end(trailers?: HeaderList): void;
}
