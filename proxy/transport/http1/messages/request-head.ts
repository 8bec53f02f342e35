// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { RequestHead } from "../../contract/head.ts";
import { HeaderList } from "../../contract/header-list.ts";
import { BlockCache } from "./fields/block-cache.ts";
import type { KnownBlock } from "./fields/block-facts.ts";
import { CHUNKED, type Framing, framingOfLength, NO_BODY } from "./framing.ts";
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

/** Method, target and the minor version of HTTP/1 (RFC 9112, section 3), with single spaces. */
const REQUEST_LINE = /[!#$%&'*+.^_`|~0-9A-Za-z-]+ [\x21-\x7e]+ HTTP\/1\.[01]\r\n/y;

/** A scheme of letters and a host with a port, without user information (RFC 9112, section 3.2.2). */
const ABSOLUTE_FORM = /^[A-Za-z]+:\/\/[A-Za-z0-9._~!$&'()*+,;=%:[\]-]+(?:[/?]|$)/;
const AUTHORITY_FORM = /^(?:[A-Za-z0-9._~!$&'()*+,;=%-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}$/;

const VERSION_LENGTH = "HTTP/1.1\r\n".length;

const blocks = new BlockCache();

/**
 * Parses a request's head strictly: RFC 9112 with none of the repairs that it allows.
 *
 * @param text The head with its empty line, one character per byte.
 * @param upgradeProtocols Accepted protocols, in lower case; a request to upgrade to another protocol is an
 * ordinary request.
 */
export function parseRequestHead(
  text: string,
  upgradeProtocols: readonly string[] = [],
): ParsedRequest | MessageFault {
  REQUEST_LINE.lastIndex = 0;
  if (!REQUEST_LINE.test(text)) return new MessageFault("bad_request", faultOfLine(text));
  const fieldsStart = REQUEST_LINE.lastIndex;
  const methodEnd = text.indexOf(" ");
  const method = methodAt(text, methodEnd);
  const target = text.slice(methodEnd + 1, fieldsStart - VERSION_LENGTH - 1);
  const is11 = text.charCodeAt(fieldsStart - 3) === 0x31;
  if (target.charCodeAt(0) !== SLASH || method === "CONNECT") {
    if (!isTarget(method, target)) return new MessageFault("bad_request", "The request target is malformed.");
  }
  const block = blocks.parse(text, fieldsStart);
  if (block instanceof MessageFault) return block;
  const fault = faultOf(block, is11, method);
  if (fault !== undefined) return new MessageFault("bad_request", fault);
  const { contentLength, isChunked } = block;
  const hasBody = isChunked || (contentLength !== undefined && contentLength > 0);
  const { upgrade } = block;
  const head: RequestHead = {
    method,
    target,
    headers: HeaderList.of(block),
    httpVersion: is11 ? "1.1" : "1.0",
    hasBody,
    contentLength,
    upgrade:
      upgrade !== undefined && is11 && !hasBody && upgradeProtocols.includes(upgrade) ? upgrade : undefined,
  };
  return {
    head,
    framing: isChunked ? CHUNKED : hasBody ? framingOfLength(contentLength as number) : NO_BODY,
    keepAlive: !block.close && (is11 || block.keepAlive),
    expectsContinue: block.expectsContinue && is11 && hasBody,
  };
}

const SLASH = 0x2f;

/** The methods of most requests, as strings that need no copy. */
function methodAt(text: string, end: number): string {
  if (end === 3 && text.startsWith("GET")) return "GET";
  if (end === 4 && text.startsWith("POST")) return "POST";
  return text.slice(0, end);
}

function isTarget(method: string, target: string): boolean {
  if (method === "CONNECT") return AUTHORITY_FORM.test(target);
  if (target === "*") return method === "OPTIONS";
  return target.startsWith("/") || ABSOLUTE_FORM.test(target);
}

function faultOf(block: KnownBlock, is11: boolean, method: string): string | undefined {
  if (block.fault !== undefined) return block.fault;
  // A request without Host is refused by the validate filter, so that it is reported like any other.
  if (block.hosts > 1) return "There is more than one Host header.";
  if (block.hosts === 1 && !block.isHostValid) return "The Host header is malformed.";
  if (block.isChunked && !is11) return "HTTP/1.0 has no Transfer-Encoding.";
  if (method === "CONNECT" && (block.isChunked || block.contentLength !== undefined)) {
    return "A CONNECT request has no body.";
  }
  return undefined;
}

function faultOfLine(text: string): string {
  const end = text.indexOf("\r\n");
  const line = text.slice(0, end < 0 ? undefined : end);
  if (/ HTTP\/[0-9.]+$/.test(line) && !/ HTTP\/1\.[01]$/.test(line))
    return "The only HTTP versions are 1.1 and 1.0.";
  return "The request line is malformed.";
}
