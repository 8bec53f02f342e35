// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createHash, randomBytes } from "node:crypto";

import type { HeaderList } from "../../contract/header-list.ts";

/** The constant of RFC 6455, section 1.3. */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/**
 * Adds the key of a WebSocket's handshake in HTTP/1.1, if there is none. An extended CONNECT has no handshake (RFC 8441,
 * section 5), so it is made, or left out, where one protocol is translated to the other.
 */
export function addHandshakeKey(headers: HeaderList): void {
  if (headers.has("sec-websocket-key")) return;
  headers.setPlain("sec-websocket-key", randomBytes(16).toString("base64"));
}

/** The value of `sec-websocket-accept` that answers a client's key. */
export function handshakeAccept(key: string): string {
  return createHash("sha1").update(`${key}${GUID}`).digest("base64");
}
