// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { HeaderList } from "../contract/header-list.ts";
import { CONNECTION, flagsOfAll, HOP_BY_HOP, isFlagged } from "./name-flags.ts";

/**
 * Removes hop-by-hop fields, including those that `connection` names. Must run before the proxy adds fields
 * of its own: otherwise a client could remove them by naming them (`connection: x-forwarded-for`).
 *
 * @param flags The flags of all names, if the caller has them already.
 */
export function removeHopByHop(headers: HeaderList, flags: number = flagsOfAll(headers)): void {
  if ((flags & HOP_BY_HOP) === 0) return;
  const connection = (flags & CONNECTION) === 0 ? undefined : headers.get("connection");
  // Most messages name no field, or `keep-alive`, which is hop-by-hop anyway.
  if (connection === undefined || connection === "keep-alive") return headers.removeAlike(isHopByHop);
  const named = new Set(connection.split(",").map((token) => token.trim().toLowerCase()));
  for (const name of PROXYS_OWN) named.delete(name);
  headers.removeWhere((name) => isHopByHop(name) || named.has(name));
}

/**
 * Fields that naming them in `connection` must not remove: framing and authority, and the ids that the proxy writes before it
 * looks for faults, so that a refused request has them too.
 */
const PROXYS_OWN: readonly string[] = [
  "content-length",
  "host",
  "x-request-id",
  "traceparent",
  "tracestate",
  "b3",
  "x-b3-traceid",
  "x-b3-spanid",
  "x-b3-parentspanid",
  "x-b3-sampled",
  "x-b3-flags",
];

function isHopByHop(name: string): boolean {
  return isFlagged(name, HOP_BY_HOP);
}
