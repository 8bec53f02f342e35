// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { canonicalAddress } from "../../kernel/matching/ip-address.ts";
import type { AttributeBag } from "./bag.ts";
import { headerBytesOf } from "../../kernel/canonical/header-text.ts";
import { parseAuthority } from "../../kernel/canonical/authority.ts";
import { separatorOf } from "../../kernel/canonical/header-values.ts";
import { Malformed } from "../../kernel/canonical/malformed.ts";
import { canonicalMethod } from "../../kernel/canonical/method.ts";
import { canonicalPath, type PathNormalization } from "../../kernel/canonical/path.ts";
import { canonicalQuery, parseQuery } from "../../kernel/canonical/query.ts";
import { canonicalScheme } from "../../kernel/canonical/scheme.ts";

/** A handwritten bag: attributes may have any spelling, and a header may have a list of values. */
export type PartialBag = Readonly<Record<string, unknown>>;

type Group = Readonly<Record<string, unknown>>;

/**
 * Canonicalizes a handwritten bag (of a policy test, or for `purser explain`) to the bag that a proxy would
 * build for the same request, with the attributes of the request that a proxy derives from the written ones. Values of a wrong
 * type are kept.
 *
 * @returns Malformed when no request has such an attribute; the reason names the attribute.
 */
export function canonicalBag(bag: PartialBag, normalization: PathNormalization): AttributeBag | Malformed {
  const result: Record<string, unknown> = { ...bag };
  for (const group of ["source", "destination", "origin"]) {
    const written = bag[group];
    if (isGroup(written) && typeof written["ip"] === "string")
      result[group] = { ...written, ip: canonicalAddress(written["ip"]) ?? written["ip"] };
  }
  if (isGroup(bag["request"])) {
    const request = canonicalRequest(bag["request"], normalization);
    if (request instanceof Malformed) return request;
    result["request"] = request;
  }
  return result as AttributeBag;
}

function canonicalRequest(written: Group, normalization: PathNormalization): Group | Malformed {
  const request: Record<string, unknown> = { ...written };
  if (isGroup(written["headers"])) addHeaders(written["headers"], request);
  for (const [name, convert] of Object.entries({
    method: canonicalMethod,
    path: (text: string) => canonicalTarget(text, normalization),
    url_path: (text: string) =>
      text.startsWith("/") ? canonicalPath(headerBytesOf(text), normalization) : text,
    scheme: (text: string) => canonicalScheme(text) ?? text,
  })) {
    const text = written[name];
    if (typeof text !== "string") continue;
    const value = convert(text);
    if (value instanceof Malformed) return new Malformed(`request.${name} ${value.reason}`);
    request[name] = value;
  }
  if (typeof request["host"] === "string") {
    const authority = parseAuthority(request["host"]);
    if (authority instanceof Malformed) return new Malformed(`request.host ${authority.reason}`);
    request["host"] = authority.host;
    if (authority.port !== undefined) derive(request, "port", authority.port);
  }
  if (typeof request["path"] === "string" && request["path"].startsWith("/"))
    addPartsOfPath(request["path"], request);
  return request;
}

/** Sets an attribute that the bag does not write. */
function derive(request: Record<string, unknown>, name: string, value: unknown): void {
  if (value !== undefined && request[name] === undefined) request[name] = value;
}

/** Adds the attributes that a proxy takes from the path, which is in canonical form. */
function addPartsOfPath(path: string, request: Record<string, unknown>): void {
  const mark = path.indexOf("?");
  const query = mark < 0 ? "" : path.slice(mark);
  const { first, repeated } = parseQuery(query);
  derive(request, "url_path", mark < 0 ? path : path.slice(0, mark));
  derive(request, "query_params", first);
  derive(request, "repeated_query_params", repeated);
}

function canonicalTarget(written: string, normalization: PathNormalization): string | Malformed {
  if (!written.startsWith("/")) return written;
  if (written.includes("#")) return new Malformed("has a fragment");
  const text = headerBytesOf(written);
  const mark = text.indexOf("?");
  const path = canonicalPath(mark < 0 ? text : text.slice(0, mark), normalization);
  if (path instanceof Malformed || mark < 0) return path;
  return path + canonicalQuery(text.slice(mark));
}

/** Attributes of a request with the headers that they come from. */
const FROM_HEADERS = [
  ["host", "host"],
  ["useragent", "user-agent"],
  ["referer", "referer"],
] as const;

/**
 * Lower-cases names; a list of texts is a header that came in several fields. Adds the attributes that a proxy takes from
 * headers.
 */
function addHeaders(written: Group, request: Record<string, unknown>): void {
  const headers = Object.create(null) as Record<string, unknown>;
  const repeated = Object.create(null) as Record<string, unknown>;
  for (const [given, value] of Object.entries(written)) {
    const name = given.toLowerCase();
    const isList =
      Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === "string");
    headers[name] = isList ? value.join(separatorOf(name)) : value;
    if (isList && value.length > 1) repeated[name] = value;
  }
  request["headers"] = headers;
  if (Object.keys(repeated).length > 0) derive(request, "repeated_headers", repeated);
  for (const [attribute, header] of FROM_HEADERS) {
    const value = headers[header];
    if (typeof value === "string") derive(request, attribute, value);
  }
}

function isGroup(value: unknown): value is Group {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
