// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { STATUS_CODES, validateHeaderName, validateHeaderValue } from "node:http";

import type { ResponseHead } from "../contract/head.ts";

/**
 * A response's head with its empty line, as Latin-1 text. For responses that node:http does not write: on a
 * connection without a request, or after an upgrade. Throws when a field cannot be sent.
 */
export function rawHead({ status, headers }: ResponseHead): string {
  const flat = headers.wire();
  let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "unknown"}\r\n`;
  for (let index = 0; index < flat.length; index += 2) {
    const name = flat[index] as string;
    const value = flat[index + 1] as string;
    validateHeaderName(name);
    validateHeaderValue(name, value);
    text += `${name}: ${value}\r\n`;
  }
  return `${text}\r\n`;
}
