// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { isHopByHopHeader } from "../../../core/attributes/header-fields.ts";
import type { HeaderList } from "../contract/header-list.ts";

/**
 * Removes hop-by-hop fields, including those that `connection` names. Must run before the proxy adds fields
 * of its own: otherwise a client could remove them by naming them (`connection: x-forwarded-for`).
 */
export function removeHopByHop(headers: HeaderList): void {
  const connection = headers.get("connection");
  const named =
    connection === undefined
      ? undefined
      : new Set(connection.split(",").map((token) => token.trim().toLowerCase()));
  // The proxy sets framing and authority: naming them in `connection` must not remove them.
  named?.delete("content-length");
  named?.delete("host");
  headers.removeWhere((name) => isHopByHopHeader(name) || named?.has(name) === true);
}
