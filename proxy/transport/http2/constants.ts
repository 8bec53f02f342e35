// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Numbers of RFC 9113 and the limits of this proxy's connections. */

/** Frame types (section 6). */
export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

/** Frame flags (section 6). */
export const FLAG = { ack: 0x1, endStream: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const;

/** Settings (section 6.5.2; RFC 8441, section 3). */
export const SETTING = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
  enableConnectProtocol: 8,
} as const;

/** Error codes (section 7). */
export const CODE = {
  noError: 0x0,
  protocolError: 0x1,
  internalError: 0x2,
  flowControlError: 0x3,
  settingsTimeout: 0x4,
  streamClosed: 0x5,
  frameSizeError: 0x6,
  refusedStream: 0x7,
  cancel: 0x8,
  compressionError: 0x9,
  connectError: 0xa,
  enhanceYourCalm: 0xb,
} as const;

/** The client's connection preface (section 3.4). Its first 18 bytes read like a head of HTTP/1.1 that no server accepts. */
export const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/** Size of a frame's header, in bytes. */
export const FRAME_HEADER_BYTES = 9;

/** Largest payload of a frame in either direction, in bytes: SETTINGS_MAX_FRAME_SIZE's initial value, which every peer accepts. */
export const MAX_FRAME_BYTES = 16_384;

/** Initial size of each flow-control window, in bytes (section 6.9.2). */
export const INITIAL_WINDOW_BYTES = 65_535;

/** Largest size of a flow-control window, in bytes (section 6.9.1). */
export const MAX_WINDOW_BYTES = 2 ** 31 - 1;

/** Last stream id of a GOAWAY that announces a shutdown (section 6.8). */
export const LAST_STREAM_ID = 2 ** 31 - 1;

/** Requests under way on a client's connection; the number of Envoy's guide for edge proxies. */
export const MAX_CONCURRENT_STREAMS = 100;

/** Bytes of a request's body that a client may send ahead of the proxy; the number of Envoy's guide for edge proxies. */
export const STREAM_WINDOW_BYTES = 64 * 1024;

/** As `STREAM_WINDOW_BYTES`, for all streams of a connection. */
export const CONNECTION_WINDOW_BYTES = 1024 * 1024;
