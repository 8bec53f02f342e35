// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { HeaderList } from "../../contract/header-list.ts";
import type { Framing } from "./framing.ts";

/**
 * A request's head with its empty line, one character per byte. Writes HTTP/1.1, `connection`, `upgrade`,
 * `transfer-encoding` and, where the headers have none, `content-length`.
 *
 * @param headers Without hop-by-hop fields.
 * @param framing Of kind none, length or chunked.
 * @param upgrade The protocol to upgrade to.
 * @param close Whether this is the connection's last request.
 * @throws UnsendableHead when a field cannot be sent.
 */
export function requestHeadText(
  method: string,
  target: string,
  headers: HeaderList,
  framing: Framing,
  upgrade?: string,
  close?: boolean,
): string {
  return [method, target, headers, framing, upgrade, close].join(" ");
}

/** The `connection` field of a response: keep-alive is for HTTP/1.0 clients, upgrade for a 101. */
export type ConnectionOption = "close" | "keep-alive" | "upgrade";

/**
 * A response's head with its empty line, one character per byte; informational responses too.
 *
 * @param headers Without hop-by-hop fields other than `upgrade`.
 * @param framing From `responseFraming`: with `none`, a `content-length` in the headers is kept for HEAD and 304.
 * @param connection Undefined writes no `connection` field.
 * @throws UnsendableHead when a field cannot be sent.
 */
export function responseHeadText(
  status: number,
  headers: HeaderList,
  framing: Framing,
  connection?: ConnectionOption,
): string {
  return [status, headers, framing, connection].join(" ");
}
