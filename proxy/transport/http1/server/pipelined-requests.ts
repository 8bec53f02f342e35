// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Maximum number of requests that wait behind the one under way. One read of 64 KiB can bring this many, but no honest
 * client does.
 */
const MAX_WAITING = 1_000;

/** The shortest head: `GET / HTTP/1.1`, two line ends. */
const MIN_HEAD_BYTES = 18;

const DECLARES_BODY = /\r\n(?:content-length|transfer-encoding)\s*:/i;

/**
 * Whether the bytes from an offset on begin with more than `MAX_WAITING` requests without a body. The count ends at the
 * first request with a body, whose bytes may look like requests.
 */
export function hasTooManyRequests(bytes: Buffer, offset: number): boolean {
  if (bytes.length - offset < MAX_WAITING * MIN_HEAD_BYTES) return false;
  let at = offset;
  for (let count = 0; count <= MAX_WAITING; count++) {
    const end = bytes.indexOf("\r\n\r\n", at, "latin1");
    if (end < 0 || DECLARES_BODY.test(bytes.toString("latin1", at, end))) return false;
    at = end + 4;
  }
  return true;
}
