// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type FieldBlock, HeaderList } from "../../contract/header-list.ts";

/** What the fields of a message say about its framing and its connection. */
export interface BlockFacts {
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

export function factsOf(block: FieldBlock): BlockFacts {
  const headers = HeaderList.of(block);
  const { flat } = block;
  let lengths = 0;
  let codings = 0;
  let upgrades = 0;
  let hosts = 0;
  let connection: string | undefined;
  let expectsContinue = false;
  for (let index = 0; index < flat.length; index += 2) {
    switch (flat[index]) {
      case "content-length":
        lengths++;
        break;
      case "transfer-encoding":
        codings++;
        break;
      case "host":
        hosts++;
        break;
      case "upgrade":
        upgrades++;
        break;
      case "connection":
        connection ??= headers.get("connection")?.toLowerCase();
        break;
      case "expect":
        expectsContinue = headers.get("expect")?.toLowerCase() === "100-continue";
        break;
    }
  }
  const length = lengths > 0 ? headers.get("content-length") : undefined;
  const coding = codings > 0 ? headers.get("transfer-encoding") : undefined;
  const options = connection === undefined ? NO_OPTIONS : optionsOf(connection);
  return {
    fault: framingFault(length, coding),
    contentLength: length === undefined ? undefined : Number(length),
    isChunked: coding !== undefined,
    close: options.includes("close"),
    keepAlive: options.includes("keep-alive"),
    upgrade: upgrades > 0 && options.includes("upgrade") ? headers.get("upgrade")?.toLowerCase() : undefined,
    expectsContinue,
    hosts,
    isHostValid: hosts === 1 && HOST.test(headers.get("host") as string),
  };
}

/** RFC 3986, section 3.2.2, and a port. Which of these texts is an authority, the proxy's validate filter says. */
const HOST = /^[A-Za-z0-9._~!$&'()*+,;=%:[\]-]*$/;

const NO_OPTIONS: readonly string[] = [];

function optionsOf(connection: string): readonly string[] {
  return connection.split(",").map((option) => option.trim());
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
