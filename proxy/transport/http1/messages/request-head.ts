// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { RequestHead } from "../../contract/head.ts";
import type { Framing } from "./framing.ts";
import { MessageFault } from "./message-fault.ts";

/** A request's head with what its connection must know. */
export interface ParsedRequest {
  readonly head: RequestHead;
  readonly framing: Framing;
  /** Whether the client allows another request after this one. */
  readonly keepAlive: boolean;
  /** Whether the client waits for 100 Continue before it sends the body. */
  readonly expectsContinue: boolean;
}

/**
 * Parses a request's head strictly: RFC 9112 with none of the repairs that it allows.
 *
 * @param text The head with its empty line, one character per byte.
 * @param upgradeProtocols Accepted protocols, in lower case; a request to upgrade to another protocol is an
 * ordinary request.
 */
export function parseRequestHead(
  _text: string,
  _upgradeProtocols: readonly string[] = [],
): ParsedRequest | MessageFault {
  return new MessageFault("bad_request", "not implemented");
}
