// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { HeaderList } from "../contract/header-list.ts";

/**
 * What a listener does with a request that has a header name with an underscore; the words are Envoy's. Upstreams that
 * turn names into variables (CGI, WSGI, Rack, PHP) take `Content_Length` for `Content-Length`, `X_User` for `X-User`.
 */
export const UNDERSCORE_ACTIONS = ["ALLOW", "REJECT_REQUEST", "DROP_HEADER"] as const;

export type HeadersWithUnderscoresAction = (typeof UNDERSCORE_ACTIONS)[number];

/** Envoy's own default is ALLOW; its guide for edges asks for this one. */
export const DEFAULT_UNDERSCORES_ACTION: HeadersWithUnderscoresAction = "REJECT_REQUEST";

/** Drops what the action says. @returns The name for which the request is refused, if it is. */
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

function hasUnderscore(name: string): boolean {
  return name.includes("_");
}
