// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { CODE, INITIAL_WINDOW_BYTES, MAX_FRAME_BYTES, MAX_WINDOW_BYTES, SETTING } from "../constants.ts";

/** Size of an entry, in bytes (RFC 9113, section 6.5.1). */
const ENTRY_BYTES = 6;

/** The peer's settings (RFC 9113, section 6.5.2), with their initial values. */
export class PeerSettings {
  headerTableBytes = 4096;
  initialWindowBytes = INITIAL_WINDOW_BYTES;
  /** Infinity when the peer sets no limit. */
  maxConcurrentStreams = Infinity;
  /** Whether a server takes extended CONNECT (RFC 8441). */
  takesConnect = false;
  readonly #isServer: boolean;

  /** @param isServer Whether the peer is a server. */
  constructor(isServer: boolean) {
    this.#isServer = isServer;
  }

  /**
   * Takes over the entries of a SETTINGS frame. Unknown settings are ignored, and those that limit what this proxy never uses.
   *
   * @returns The code of a connection error, or undefined.
   */
  read(payload: Buffer, start: number, end: number): number | undefined {
    for (let at = start; at < end; at += ENTRY_BYTES) {
      const fault = this.#set(payload.readUInt16BE(at), payload.readUInt32BE(at + 2));
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  #set(id: number, value: number): number | undefined {
    switch (id) {
      case SETTING.headerTableSize:
        this.headerTableBytes = value;
        return undefined;
      case SETTING.enablePush:
        return value === 0 || (value === 1 && !this.#isServer) ? undefined : CODE.protocolError;
      case SETTING.maxConcurrentStreams:
        this.maxConcurrentStreams = value;
        return undefined;
      case SETTING.initialWindowSize:
        this.initialWindowBytes = value;
        return value > MAX_WINDOW_BYTES ? CODE.flowControlError : undefined;
      case SETTING.maxFrameSize:
        return value < MAX_FRAME_BYTES || value >= 2 ** 24 ? CODE.protocolError : undefined;
      case SETTING.enableConnectProtocol: {
        const isWithdrawn = this.takesConnect && value === 0;
        this.takesConnect = value === 1;
        return value > 1 || isWithdrawn ? CODE.protocolError : undefined;
      }
      default:
        return undefined;
    }
  }
}
