// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** At most 2^53 - 1. */
const CONTENT_LENGTH = /^[0-9]{1,15}$/;

/**
 * The length of a response's body as its head tells it (RFC 9110, section 8.6): a body of another length makes the response
 * malformed (RFC 9113, section 8.1.1).
 *
 * @param contentLength The value of the content-length field.
 * @returns In bytes; undefined when the length is not declared; -1 when the field is malformed, or may not be there.
 */
export function responseLengthOf(
  method: string,
  status: number,
  contentLength: string | undefined,
): number | undefined {
  if (contentLength !== undefined && !CONTENT_LENGTH.test(contentLength)) return -1;
  // Some servers declare 0 beside a 204, which has no body in any case.
  if (status === 204) return contentLength === undefined || Number(contentLength) === 0 ? 0 : -1;
  if (method === "HEAD" || status === 304) return 0;
  return contentLength === undefined ? undefined : Number(contentLength);
}
