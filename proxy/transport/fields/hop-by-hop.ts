// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { HeaderList } from "../contract/header-list.ts";

/** Fields that mean something to the next hop only (RFC 9110 section 7.6.1, and the old `keep-alive`, `proxy-connection`). */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * Removes what was meant for this hop, and what `connection` names as such. Must run before the proxy adds fields of its
 * own: otherwise a client could have them removed by naming them (`connection: x-forwarded-for`).
 */
export function removeHopByHop(headers: HeaderList): void {
  const connection = headers.get("connection");
  const named =
    connection === undefined
      ? undefined
      : new Set(connection.split(",").map((token) => token.trim().toLowerCase()));
  // The framing and the authority are this proxy's to set; naming them in `connection` must not unset them.
  named?.delete("content-length");
  named?.delete("host");
  headers.removeWhere((name) => HOP_BY_HOP.has(name) || named?.has(name) === true);
}
