// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { OutgoingHttpHeaders } from "node:http2";

import type { HeaderList } from "../../contract/header-list.ts";
import { UnsendableHead } from "../../contract/unsendable-head.ts";

/**
 * The fields in the form that node:http2 takes: values of a repeated name are an array.
 *
 * @param headers Without hop-by-hop fields.
 * @throws UnsendableHead when a name or value cannot be sent.
 */
export function outgoingFields(headers: HeaderList): OutgoingHttpHeaders {
  // Without a prototype, so that a field named __proto__ is a field.
  const fields: Record<string, string | string[]> = Object.create(null) as Record<string, string | string[]>;
  const flat = headers.sendable();
  for (let index = 0; index < flat.length; index += 2) {
    const name = flat[index] as string;
    const value = flat[index + 1] as string;
    const before = fields[name];
    if (before === undefined) fields[name] = value;
    else if (typeof before === "string") fields[name] = [before, value];
    else before.push(value);
  }
  return fields;
}

/** The trailers in that form; none when they cannot be sent: the body is whole without them. */
export function sendableTrailers(trailers: HeaderList | undefined): OutgoingHttpHeaders {
  if (trailers === undefined || trailers.size === 0) return {};
  try {
    return outgoingFields(trailers);
  } catch (error) {
    if (error instanceof UnsendableHead) return {};
    throw error;
  }
}
