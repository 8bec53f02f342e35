// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Reasons for which a stream ends before its messages are whole, after Envoy's StreamResetReason. */
export type ResetReason =
  /** No connection could be made: nothing was sent. */
  | "connection-failure"
  /** The connection ended. */
  | "connection-termination"
  /** The other side gave this stream up, and keeps the connection. */
  | "remote-reset"
  /** The other side did nothing with the stream (HTTP/2 REFUSED_STREAM). */
  | "remote-refused-stream"
  /** This side gave the stream up. */
  | "local-reset"
  /** The other side broke the protocol. */
  | "protocol-error"
  /** The codec cannot express this message; nothing was sent. */
  | "unsendable";

/** The end of an upstream stream that failed. */
export interface StreamReset {
  readonly reason: ResetReason;
  /** Whether an earlier stream had an answer on the same connection: it may just have been closed for idleness. */
  readonly connectionReused: boolean;
  /** For logs alone: it may name addresses. */
  readonly detail: string;
}
