// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type FieldBlock, valueOf } from "../../../contract/header-list.ts";

/** A message's fields, with what they say about its framing and its connection. */
export interface KnownBlock extends FieldBlock {
  /** A sentence, when the framing is ambiguous. */
  readonly fault: string | undefined;
  /** Undefined when there is none. */
  readonly contentLength: number | undefined;
  readonly isChunked: boolean;
  readonly close: boolean;
  readonly keepAlive: boolean;
  /** The value of `upgrade`, in lower case, if `connection` names it; else undefined. */
  readonly upgrade: string | undefined;
  readonly expectsContinue: boolean;
  /** Number of `host` fields. */
  readonly hosts: number;
  /** Whether the only `host` has the characters of a host with a port. */
  readonly isHostValid: boolean;
}

/** At most 2^53 - 1. */
const CONTENT_LENGTH = /^[0-9]{1,15}$/;

export function knownBlock(block: FieldBlock): KnownBlock {
  const { text, flat, spans } = block;
  let length: string | undefined;
  let coding: string | undefined;
  let host: string | undefined;
  let upgrade: string | undefined;
  let connection: string | undefined;
  let expect: string | undefined;
  let hosts = 0;
  for (let index = 0; index < flat.length; index += 2) {
    // Few names have one of these lengths: the comparisons of names are skipped for most fields.
    switch ((flat[index] as string).length) {
      case 4:
        if (flat[index] !== "host") break;
        host = valueOf(block, index);
        hosts++;
        break;
      case 6:
        if (flat[index] === "expect") expect = joined(expect, valueOf(block, index));
        break;
      case 7:
        if (flat[index] === "upgrade") upgrade = joined(upgrade, valueOf(block, index));
        break;
      case 10:
        if (flat[index] === "connection") connection = joined(connection, valueOf(block, index));
        break;
      case 14:
        if (flat[index] === "content-length") length = joined(length, framingValue(block, index));
        break;
      case 17:
        if (flat[index] === "transfer-encoding") coding = joined(coding, framingValue(block, index));
        break;
    }
  }
  const options = connection === undefined ? NO_OPTIONS : optionsOf(connection);
  return {
    text,
    flat,
    spans,
    fault: framingFault(length, coding),
    contentLength: length === undefined ? undefined : Number(length),
    isChunked: coding !== undefined,
    close: options.includes("close"),
    keepAlive: options.includes("keep-alive"),
    upgrade: upgrade !== undefined && options.includes("upgrade") ? upgrade.toLowerCase() : undefined,
    expectsContinue: expect !== undefined && expect.toLowerCase() === "100-continue",
    hosts,
    isHostValid: hosts === 1 && HOST.test(host as string),
  };
}

/** A value that frames the message. A tab around it is kept, so that the value is refused: parsers differ on it. */
function framingValue(block: FieldBlock, index: number): string {
  const line = block.text.slice(block.spans[index], block.spans[index + 1]);
  return line.includes("\t") ? line : valueOf(block, index);
}

function joined(before: string | undefined, value: string): string {
  return before === undefined ? value : `${before}, ${value}`;
}

/** RFC 3986, section 3.2.2, and a port. Which of these texts is an authority, the proxy's validate filter says. */
const HOST = /^[A-Za-z0-9._~!$&'()*+,;=%:[\]-]*$/;

const NO_OPTIONS: readonly string[] = [];

function optionsOf(connection: string): readonly string[] {
  const lower = connection.toLowerCase();
  return lower.includes(",") ? lower.split(",").map((option) => option.trim()) : [lower];
}

/**
 * Two recipients may read the same message differently (request smuggling), unless it has one content-length
 * or the one coding chunked. Repeated fields are joined by commas, so that neither test passes for them.
 */
function framingFault(length: string | undefined, coding: string | undefined): string | undefined {
  if (length !== undefined) {
    if (coding !== undefined) return "A message may not have both Content-Length and Transfer-Encoding.";
    if (!CONTENT_LENGTH.test(length)) return "Content-Length must be one number.";
  }
  if (coding !== undefined && coding.toLowerCase() !== "chunked") {
    return "The only Transfer-Encoding is chunked, once.";
  }
  return undefined;
}
