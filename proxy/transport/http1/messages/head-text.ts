// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { STATUS_CODES } from "node:http";

import type { HeaderList } from "../../contract/header-list.ts";
import { UnsendableHead } from "../../contract/unsendable-head.ts";
import type { Framing } from "./framing.ts";

const METHOD = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** No space and no control character: a target cannot end its line. */
const TARGET = /^[\x21-\x7e]+$/;
const PROTOCOL = /^[!#$%&'*+.^_`|~0-9A-Za-z/-]+$/;

/**
 * A request's head with its empty line, one character per byte. Writes HTTP/1.1, `connection`, `upgrade`,
 * `transfer-encoding` and, where the headers have none, `content-length`.
 *
 * @param headers Without hop-by-hop fields other than `upgrade`.
 * @param framing Of kind none, length or chunked.
 * @param upgrade The protocol to upgrade to.
 * @param close Whether this is the connection's last request.
 * @throws UnsendableHead when a part cannot be sent, or a field contradicts the framing.
 */
export function requestHeadText(
  method: string,
  target: string,
  headers: HeaderList,
  framing: Framing,
  upgrade?: string,
  close = false,
): string {
  if (method !== "GET" && method !== "POST" && !METHOD.test(method))
    throw new UnsendableHead("The method cannot be sent");
  if (!TARGET.test(target)) throw new UnsendableHead("The request target cannot be sent");
  let text = `${method} ${target} HTTP/1.1\r\n`;
  if (upgrade !== undefined) {
    if (!PROTOCOL.test(upgrade)) throw new UnsendableHead("The protocol to upgrade to cannot be sent");
    if (!headers.has("upgrade")) headers.set("upgrade", upgrade);
  }
  text += headers.wireText();
  text += framingLine(headers, framing);
  if (upgrade !== undefined) return `${text}connection: upgrade\r\n\r\n`;
  return close ? `${text}connection: close\r\n\r\n` : `${text}\r\n`;
}

/** The `connection` field of a response: keep-alive is for HTTP/1.0 clients, upgrade for a 101. */
export type ConnectionOption = "close" | "keep-alive" | "upgrade";

/**
 * A response's head with its empty line, one character per byte; informational responses too.
 *
 * @param headers Without hop-by-hop fields other than `upgrade`.
 * @param framing From `responseFraming`. With `none`, the headers' own `content-length` is kept: that of HEAD
 * and 304 describes what GET would give.
 * @param connection Undefined writes no `connection` field.
 * @throws UnsendableHead when a field cannot be sent, or contradicts the framing.
 */
export function responseHeadText(
  status: number,
  headers: HeaderList,
  framing: Framing,
  connection?: ConnectionOption,
): string {
  let text = statusLine(status) + headers.wireText();
  if (framing.kind !== "none") text += framingLine(headers, framing);
  return connection === undefined ? `${text}\r\n` : `${text}connection: ${connection}\r\n\r\n`;
}

/** The field that declares the framing, unless the headers have it. */
function framingLine(headers: HeaderList, { kind, length }: Framing): string {
  const declared = headers.get("content-length");
  if (headers.has("transfer-encoding")) throw new UnsendableHead("Transfer-Encoding is the codec's to write");
  switch (kind) {
    case "length":
      if (declared === undefined) return `content-length: ${length}\r\n`;
      if (Number(declared) === length) return "";
      break;
    case "none":
      if (declared === undefined || Number(declared) === 0) return "";
      break;
    case "chunked":
      if (declared === undefined) return "transfer-encoding: chunked\r\n";
      break;
    case "until-close":
      if (declared === undefined) return "";
      break;
  }
  throw new UnsendableHead("Content-Length contradicts the body's framing");
}

const statusLines: string[] = [];

/** Reason phrases are the registered ones; an unknown status has an empty one. */
function statusLine(status: number): string {
  return (statusLines[status] ??= `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n`);
}
