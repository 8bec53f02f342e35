// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { HeaderList } from "../contract/header-list.ts";

/**
 * Treatment of requests that have a header name with an underscore; the words are Envoy's. Upstreams that
 * turn names into variables (CGI, WSGI, Rack, PHP) read `Content_Length` as `Content-Length`, and `X_User` as
 * `X-User`.
 */
export const UNDERSCORE_ACTIONS = ["ALLOW", "REJECT_REQUEST", "DROP_HEADER"] as const;

export type HeadersWithUnderscoresAction = (typeof UNDERSCORE_ACTIONS)[number];

/** Envoy's default is ALLOW; its guide for edge proxies recommends REJECT_REQUEST. */
export const DEFAULT_UNDERSCORES_ACTION: HeadersWithUnderscoresAction = "REJECT_REQUEST";

/**
 * Drops header names with an underscore for DROP_HEADER.
 *
 * @returns For REJECT_REQUEST, the name for which the request is refused.
 */
export function applyUnderscoresAction(
  headers: HeaderList,
  action: HeadersWithUnderscoresAction,
): string | undefined {
  if (action === "ALLOW") return undefined;
  if (action === "DROP_HEADER") {
    headers.removeWhere(hasUnderscore);
    return undefined;
  }
  return headers.findName(hasUnderscore);
}

export function hasUnderscore(name: string): boolean {
  return name.includes("_");
}
