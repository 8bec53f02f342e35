// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { PurserError } from "../kernel/errors.ts";
import { compileRe2 } from "../kernel/regex.ts";
import type { Meter } from "../kernel/regex/meter.ts";
import type { HeaderMatch, RouteMatch, StringMatch } from "./model.ts";

/** What routing reads of a request. */
export interface RouteRequest {
  /** The Host header, or the authority of an absolute target; with or without a port. */
  readonly authority: string;
  /** Without the query. */
  readonly path: string;
  /** With its `?`; empty when there is none. */
  readonly query: string;
  readonly method: string;
  readonly headers: {
    /** @param name In lower case. */
    get(name: string): string | undefined;
  };
}

/** The header name that stands for the authority in a match, as in Envoy. */
export const AUTHORITY_HEADER = ":authority";

/** What is left to ask a request, cheapest first. */
export type Predicate = (request: RouteRequest) => boolean;

/**
 * Compiles one match once, regular expressions included. All of its conditions must hold. `meter` is told of the work
 * that the regular expressions do for a request.
 *
 * @throws {PurserError} PURSER_INTERNAL for an expression that does not compile: documents with one are refused at load.
 */
export function compileMatch(match: RouteMatch, meter?: Meter): Predicate {
  const conditions: Predicate[] = [];
  const { path, method } = match;
  if (path !== undefined) {
    const holds = compilePath(path, match.ignoreCase, meter);
    conditions.push((request) => holds(request.path));
  }
  if (method !== undefined) {
    const holds = compileString(method, meter);
    conditions.push((request) => holds(request.method));
  }
  for (const [name, condition] of Object.entries(match.headers))
    conditions.push(compileHeader(name, condition, meter));
  for (const [name, condition] of Object.entries(match.withoutHeaders)) {
    const holds = compileHeader(name, condition, meter);
    conditions.push((request) => !holds(request));
  }
  const params = Object.entries(match.queryParams);
  if (params.length > 0) conditions.push(compileQuery(params, meter));
  return (request) => conditions.every((condition) => condition(request));
}

function compileHeader(name: string, condition: HeaderMatch, meter: Meter | undefined): Predicate {
  const holds = compileValue(condition, meter);
  if (name === AUTHORITY_HEADER) return (request) => holds(request.authority);
  const key = name.toLowerCase();
  return (request) => holds(request.headers.get(key));
}

function compileQuery(
  params: readonly (readonly [name: string, condition: HeaderMatch])[],
  meter: Meter | undefined,
): Predicate {
  const conditions = params.map(([name, condition]) => ({ name, holds: compileValue(condition, meter) }));
  return (request) => {
    const query = parseQuery(request.query);
    return conditions.every(({ name, holds }) => holds(query.get(name)));
  };
}

/** `ignoreCase` counts for exact and prefix alone, as in Istio. */
function compilePath(
  match: StringMatch,
  ignoreCase: boolean,
  meter: Meter | undefined,
): (value: string) => boolean {
  if (!ignoreCase || match.kind === "regex") return compileString(match, meter);
  const holds = compileString({ kind: match.kind, value: match.value.toLowerCase() }, meter);
  return (value) => holds(value.toLowerCase());
}

function compileValue(match: HeaderMatch, meter: Meter | undefined): (value: string | undefined) => boolean {
  if (match.kind === "present") return (value) => value !== undefined;
  const holds = compileString(match, meter);
  return (value) => value !== undefined && holds(value);
}

function compileString(match: StringMatch, meter: Meter | undefined): (value: string) => boolean {
  const wanted = match.value;
  switch (match.kind) {
    case "exact":
      return (value) => value === wanted;
    case "prefix":
      return (value) => value.startsWith(wanted);
    case "regex": {
      const compiled = compileRe2(wanted);
      if (!compiled.ok)
        throw new PurserError("PURSER_INTERNAL", `regular expression ${wanted}: ${compiled.message}`);
      return (value) => compiled.regex.matches(value, meter);
    }
  }
}

/** The first value of each parameter, decoded; text that is not valid percent-encoding stands for itself. */
function parseQuery(query: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const pair of query.slice(1).split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    if (!values.has(name)) values.set(name, equals < 0 ? "" : decode(pair.slice(equals + 1)));
  }
  return values;
}

function decode(text: string): string {
  const spaced = text.replaceAll("+", " ");
  if (!spaced.includes("%")) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}
