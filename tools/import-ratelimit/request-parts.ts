// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { literal } from "./entry.ts";
import type { YamlPart } from "./yaml-part.ts";

/** Attributes of the headers by which Envoy names parts of the request line. */
const PSEUDO_HEADERS: Readonly<Record<string, string>> = {
  ":path": "request.path",
  ":method": "request.method",
  ":scheme": "request.scheme",
  ":authority": "request.host",
  host: "request.host",
};

/** The attribute of a header; undefined, with a fault, for a pseudo-header that has none. */
export function headerAttribute(name: string, part: YamlPart): string | undefined {
  const lowerCase = name.toLowerCase();
  const pseudo = Object.hasOwn(PSEUDO_HEADERS, lowerCase) ? PSEUDO_HEADERS[lowerCase] : undefined;
  if (pseudo !== undefined) {
    if (pseudo === "request.host")
      part.warn(`${name} becomes request.host, which has no port and is in lower case`);
    return pseudo;
  }
  if (!lowerCase.startsWith(":")) return `request.headers.${literal(lowerCase)}`;
  part.unsupported(`the header ${name} has no attribute`);
  return undefined;
}

export function queryAttribute(name: string): string {
  return `request.query_params.${literal(name)}`;
}
