// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Reasons for which a stream ends before its messages are complete, after Envoy's StreamResetReason. */
export type ResetReason =
  /** No connection could be made: nothing was sent. */
  | "connection-failure"
  /** Too many requests waited for a connection, or this one waited too long: nothing was sent. */
  | "overflow"
  /** The connection ended. */
  | "connection-termination"
  /** The peer cancelled this stream, and keeps the connection. */
  | "remote-reset"
  /** The peer did not process the stream at all (HTTP/2 REFUSED_STREAM). */
  | "remote-refused-stream"
  /** This side cancelled the stream. */
  | "local-reset"
  /** The peer violated the protocol. */
  | "protocol-error"
  /** The codec cannot express this message; nothing was sent. */
  | "unsendable";

/** The end of an upstream stream that failed. */
export interface StreamReset {
  readonly reason: ResetReason;
  /**
   * Whether an earlier stream was answered on the same connection and no byte of this one's response came:
   * the upstream may just have closed the connection as idle.
   */
  readonly connectionReused: boolean;
  /** For logs only: it may contain addresses. */
  readonly detail: string;
}
