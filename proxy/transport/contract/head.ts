// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { HeaderList } from "./header-list.ts";

/** A request's start line and headers. */
export interface RequestHead {
  readonly method: string;
  /** As on the request line: a path with its query, or an absolute URL. */
  readonly target: string;
  /** As they came. Towards an upstream: without hop-by-hop fields, which the codec writes itself. */
  readonly headers: HeaderList;
  /** Such as `1.1`. */
  readonly httpVersion: string;
  readonly hasBody: boolean;
  /** The body's length in bytes; undefined when only its end will tell. */
  readonly contentLength: number | undefined;
  /**
   * The protocol that the client wants to go on with, in lower case, such as `websocket`. Such a request has no body. When
   * the response's status is 101, both bodies are the bytes of that protocol, and `end` closes one direction.
   */
  readonly upgrade: string | undefined;
}

/** A response's status and headers. An informational head has no body, and another head follows it. */
export interface ResponseHead {
  status: number;
  readonly headers: HeaderList;
}
