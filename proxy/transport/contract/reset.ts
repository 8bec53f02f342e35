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

/**
 * The peer's own reason for its reset, where it means the same to the other side of the proxy. All other reasons are about one
 * connection alone.
 */
export type ResetCause =
  /** The peer no longer wants the stream. */
  | "cancelled"
  /** The peer wants less load. */
  | "excessive-load"
  /** The connection behind a tunnel was reset (RFC 9113, section 8.5). */
  | "tunnel-broken";

/** The end of an upstream stream that failed. */
export interface StreamReset {
  readonly reason: ResetReason;
  readonly cause?: ResetCause | undefined;
  /**
   * Whether an earlier stream was answered on the same connection and no byte of this one's response came:
   * the upstream may just have closed the connection as idle.
   */
  readonly connectionReused: boolean;
  /** For logs only: it may contain addresses. */
  readonly detail: string;
}
