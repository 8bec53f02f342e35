// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { HeaderList } from "./header-list.ts";

/** A request's start line and headers. */
export interface RequestHead {
  readonly method: string;
  /** The request target: a path with its query, or an absolute URL. */
  readonly target: string;
  /**
   * Fields as they arrived. Towards an upstream: without hop-by-hop fields, which the codec writes itself.
   */
  readonly headers: HeaderList;
  /** Such as `1.1`. */
  readonly httpVersion: string;
  readonly hasBody: boolean;
  /** The body's length in bytes; undefined when it is not declared. */
  readonly contentLength: number | undefined;
  /**
   * The protocol that the client asks to upgrade to, in lower case, such as `websocket`. Such a request has
   * no body. When the response's status is 101, both bodies are the bytes of that protocol, and `end` is a
   * half-close.
   */
  readonly upgrade: string | undefined;
}

/** A response's status and headers. An informational head has no body, and another head follows it. */
export interface ResponseHead {
  status: number;
  readonly headers: HeaderList;
  /**
   * Whether it is known that neither a body nor trailers follow, so that a codec can end the message with its head. gRPC
   * calls such a response Trailers-Only.
   */
  readonly endsHere?: boolean;
}
