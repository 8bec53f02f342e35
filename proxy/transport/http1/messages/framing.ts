// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** How the end of a message's body is found (RFC 9112, section 6.3). */
export interface Framing {
  readonly kind: "none" | "length" | "chunked" | "until-close";
  /** The body's length in bytes for `length`, more than 0; 0 for the other kinds. */
  readonly length: number;
}

export const NO_BODY: Framing = { kind: "none", length: 0 };
export const CHUNKED: Framing = { kind: "chunked", length: 0 };
export const UNTIL_CLOSE: Framing = { kind: "until-close", length: 0 };

/** The framing of a body with a known length. */
export function framingOfLength(lengthBytes: number): Framing {
  return lengthBytes === 0 ? NO_BODY : { kind: "length", length: lengthBytes };
}

/**
 * The framing of a response that is sent to a client: the content-length where the headers have one, else
 * chunked, else (HTTP/1.0) until the connection's end. Responses to HEAD, and 1xx, 204 and 304, have no body.
 */
export function responseFraming(
  requestMethod: string,
  clientHttpVersion: string,
  status: number,
  contentLength: string | undefined,
): Framing {
  if (hasNoBody(requestMethod, status)) return NO_BODY;
  if (contentLength !== undefined) return framingOfLength(Number(contentLength));
  return clientHttpVersion === "1.0" ? UNTIL_CLOSE : CHUNKED;
}

/** Whether a response has no body, whatever its fields say (RFC 9112, section 6.3). */
export function hasNoBody(requestMethod: string, status: number): boolean {
  return status < 200 || status === 204 || status === 304 || requestMethod === "HEAD";
}
