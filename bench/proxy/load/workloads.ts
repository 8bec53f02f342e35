// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** A kind of request, as each contender gets it. */
export interface Workload {
  readonly name: string;
  readonly method: "GET" | "POST";
  readonly path: string;
  /** Length of the request's body, in bytes. */
  readonly bodyBytes: number;
  /** Length of the body of a right response, in bytes. */
  readonly answerBytes: number;
}

/** The upstream's answer to a POST. */
export const ACCEPTED = "accepted\n";

export const WORKLOADS: readonly Workload[] = [
  { name: "get-100", method: "GET", path: "/100", bodyBytes: 0, answerBytes: 100 },
  { name: "get-1k", method: "GET", path: "/1k", bodyBytes: 0, answerBytes: 1024 },
  { name: "get-64k", method: "GET", path: "/64k", bodyBytes: 0, answerBytes: 65_536 },
  { name: "post-1k", method: "POST", path: "/post", bodyBytes: 1024, answerBytes: ACCEPTED.length },
];

/** The workload by which the bars are judged. */
export const JUDGED_WORKLOAD = "get-1k";

/** Number of concurrent connections. */
export const CONNECTIONS = 64;

/** Requests come from this number of users in turn, so that no cache of one entry can answer them. */
export const USERS = 16;

export const USER_AGENT = "purser-bench/1";

/**
 * The head of a request by the user of this number, 1 to `USERS`. All loads over HTTP/1.1 send it, so that a proxy meets the same
 * clients at full load and at half load: other fields, or another order of them, are new shapes, for which V8 compiles anew.
 */
export function requestHead(
  { method, path, bodyBytes }: Pick<Workload, "method" | "path" | "bodyBytes">,
  authority: string,
  user: number,
): string {
  const length = bodyBytes === 0 ? "" : `Content-Length: ${bodyBytes}\r\n`;
  return `${method} ${path} HTTP/1.1\r\nHost: ${authority}\r\nUser-Agent: ${USER_AGENT}\r\nAccept: */*\r\nx-user: user-${user}\r\n${length}\r\n`;
}
