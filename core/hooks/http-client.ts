// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { CallContext } from "../../kernel/deadline.ts";

export interface HttpRequest {
  /** An absolute `http:` or `https:` URL. */
  readonly url: string;
  /** Default: POST with a body, GET without. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The body as text (UTF-8) or bytes. Excludes `json`. */
  readonly body?: string | Uint8Array;
  /** A value that is sent as JSON, with `content-type: application/json` unless `headers` states another. */
  readonly json?: unknown;
}

export interface HttpResponse {
  readonly status: number;
  /** By lower-case name; the lines of a repeated header are joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** The body as UTF-8. */
  text(): string;
  /** @throws PurserError PURSER_HANDLER_FAILED, retryable, when the body is not JSON. */
  json(): unknown;
}

/**
 * The host's HTTP client, for extensions that talk to a server. Connections are kept alive, and closed with the handler.
 */
export interface HttpClient {
  /**
   * Sends a request within the call's deadline, and reads the whole response; redirects are not followed.
   *
   * @returns The response, whatever its status.
   * @throws PurserError PURSER_HANDLER_FAILED, retryable, when there is no complete response (refused, reset, garbage, more
   *   than 4 MiB); PURSER_HANDLER_TIMEOUT, retryable, when the call's signal aborts first.
   */
  request(request: HttpRequest, call: CallContext): Promise<HttpResponse>;
  /**
   * As `request`, but rejects unless the status is 2xx: PURSER_REQUEST_TOO_LARGE for 413; retryable PURSER_HANDLER_FAILED for 408,
   * 425, 429 and 5xx except 501 and 505, with `retryAfterMs` of a `Retry-After` in its details; permanent PURSER_HANDLER_FAILED for
   * any other.
   */
  send(request: HttpRequest, call: CallContext): Promise<HttpResponse>;
}
