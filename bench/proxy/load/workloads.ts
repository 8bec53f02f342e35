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
