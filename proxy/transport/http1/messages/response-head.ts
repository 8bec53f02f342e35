// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ResponseHead } from "../../contract/head.ts";
import { HeaderList } from "../../contract/header-list.ts";
import { BlockCache } from "./fields/block-cache.ts";
import { CHUNKED, type Framing, framingOfLength, hasNoBody, NO_BODY, UNTIL_CLOSE } from "./framing.ts";
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
 * The version, a status of three digits and the reason phrase (RFC 9112, section 4). The phrase may be empty;
 * the space before an empty one may be absent, since recipients may parse by words.
 */
const STATUS_LINE = /HTTP\/1\.[01] [1-9][0-9]{2}(?: [\t\x20-\x7e\x80-\xff]*)?\r\n/y;

const STATUS_START = "HTTP/1.1 ".length;

const blocks = new BlockCache();

/**
 * Parses a response's head strictly.
 *
 * @param text The head with its empty line, one character per byte.
 * @param requestMethod The method of the request that it answers: responses to HEAD have no body.
 */
export function parseResponseHead(text: string, requestMethod: string): ParsedResponse | MessageFault {
  STATUS_LINE.lastIndex = 0;
  if (!STATUS_LINE.test(text)) return new MessageFault("bad_request", "The status line is malformed.");
  const status =
    text.charCodeAt(STATUS_START) * 100 +
    text.charCodeAt(STATUS_START + 1) * 10 +
    text.charCodeAt(STATUS_START + 2) -
    ZERO * 111;
  const is11 = text.charCodeAt(STATUS_START - 2) === 0x31;
  const block = blocks.parse(text, STATUS_LINE.lastIndex);
  if (block instanceof MessageFault) return block;
  if (block.fault !== undefined) return new MessageFault("bad_request", block.fault);
  const { contentLength, isChunked } = block;
  if (isChunked && !is11) return new MessageFault("bad_request", "HTTP/1.0 has no Transfer-Encoding.");
  let framing = NO_BODY;
  if (!hasNoBody(requestMethod, status)) {
    if (isChunked) framing = CHUNKED;
    else framing = contentLength === undefined ? UNTIL_CLOSE : framingOfLength(contentLength);
  }
  return {
    head: { status, headers: HeaderList.of(block) },
    framing,
    keepAlive: framing.kind !== "until-close" && !block.close && (is11 || block.keepAlive),
    upgrade: status === 101 ? block.upgrade : undefined,
  };
}

const ZERO = 0x30;
