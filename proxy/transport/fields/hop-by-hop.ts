// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { isHopByHopHeader } from "../../../core/attributes/header-fields.ts";
import type { HeaderList } from "../contract/header-list.ts";

/**
 * Removes the fields that end at this hop, and those that `connection` names as such. Must run before the proxy adds fields
 * of its own: otherwise a client could have them removed by naming them (`connection: x-forwarded-for`).
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
  headers.removeWhere((name) => isHopByHopHeader(name) || named?.has(name) === true);
}
