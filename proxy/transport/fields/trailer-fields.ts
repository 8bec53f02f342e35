// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { isReservedHeader } from "../../../core/attributes/header-fields.ts";
import type { HeaderList } from "../contract/header-list.ts";

/**
 * Fields that a recipient needs before the content, so that they must not be trailers (RFC 9110, section
 * 6.5.1): request modifiers, authentication, response control data, and content format. Framing and routing
 * fields are reserved headers, which are forbidden in any case.
 */
const FORBIDDEN: ReadonlySet<string> = new Set([
  "age",
  "authorization",
  "cache-control",
  "cookie",
  "date",
  "expires",
  "location",
  "max-forwards",
  "pragma",
  "proxy-authenticate",
  "proxy-authorization",
  "range",
  "retry-after",
  "set-cookie",
  "vary",
  "warning",
  "www-authenticate",
]);

const FORBIDDEN_FAMILY = /^(?:content-|if-)/;

/** Removes the fields that are forbidden as trailers. */
export function removeForbiddenTrailers(trailers: HeaderList): void {
  trailers.removeWhere(
    (name) => isReservedHeader(name) || FORBIDDEN.has(name) || FORBIDDEN_FAMILY.test(name),
  );
}
