// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Malformed } from "./malformed.ts";

/** RFC 9110, 5.6.2: a token. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** A method in capitals: many servers take `delete` for DELETE, and policies must see what they do. */
export function canonicalMethod(text: string): string | Malformed {
  return TOKEN.test(text) ? text.toUpperCase() : new Malformed("is no HTTP method");
}
