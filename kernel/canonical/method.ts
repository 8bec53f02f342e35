// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Malformed } from "./malformed.ts";

/** A token (RFC 9110, 5.6.2). */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** The method in upper case: many servers treat `delete` as DELETE, so policies must see DELETE. */
export function canonicalMethod(text: string): string | Malformed {
  return TOKEN.test(text) ? text.toUpperCase() : new Malformed("is no HTTP method");
}
