// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ResponseHead } from "../../contract/head.ts";
import type { Framing } from "./framing.ts";
import { MessageFault } from "./message-fault.ts";

/** A response's head with what its connection must know. */
export interface ParsedResponse {
  readonly head: ResponseHead;
  readonly framing: Framing;
  /** Whether the upstream allows another request after this one. */
  readonly keepAlive: boolean;
  /** The protocol of a 101, in lower case. */
  readonly upgrade: string | undefined;
}

/**
 * Parses a response's head strictly.
 *
 * @param text The head with its empty line, one character per byte.
 * @param requestMethod The method of the request that it answers: responses to HEAD have no body.
 */
export function parseResponseHead(_text: string, _requestMethod: string): ParsedResponse | MessageFault {
  return new MessageFault("bad_request", "not implemented");
}
