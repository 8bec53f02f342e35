// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type Authority, authorityText } from "../../kernel/canonical/authority.ts";
import { parseQuery } from "../../kernel/canonical/query.ts";
import { PurserError } from "../../kernel/errors.ts";
import { compileRe2 } from "../../kernel/matching/regex.ts";
import type { Meter } from "../../kernel/matching/regex/meter.ts";
import type { HeaderMatch, RouteMatch, StringMatch } from "./resources/route.ts";

/** The parts of a request that routing reads, each in canonical form (kernel/canonical). */
export interface RouteRequest {
  /** From the Host header, or from an absolute target. */
  readonly authority: Authority;
  /** Without the query. */
  readonly path: string;
  /** The query with its `?`; empty when there is no query. */
  readonly query: string;
  readonly method: string;
  readonly headers: {
    /**
     * The text of each field of a name, in order.
     * @param name In lower case.
     */
    values(name: string): readonly string[];
  };
}

/** The header name that means the authority in a match, as in Envoy. */
export const AUTHORITY_HEADER = ":authority";

/** A compiled condition on a request; cheaper ones are evaluated first. */
export type Predicate = (request: RouteRequest) => boolean;

/**
 * Compiles a match once, including regular expressions. All its conditions must hold. `meter` is charged for
 * the work of the regular expressions on a request.
 *
 * @throws {PurserError} PURSER_INTERNAL for an invalid expression: documents with one are refused at load.
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
  const [first, ...others] = conditions;
  if (first === undefined) return () => true;
  if (others.length === 0) return first;
  return (request) => {
    for (const condition of conditions) if (!condition(request)) return false;
    return true;
  };
}

/** A repeated field matches when one of its values does, or all of them joined. */
function compileHeader(name: string, condition: HeaderMatch, meter: Meter | undefined): Predicate {
  if (name === AUTHORITY_HEADER) {
    const holds = compileValue(inLowerCase(condition), meter);
    return (request) => holds(authorityText(request.authority));
  }
  const holds = compileValue(condition, meter);
  const key = name.toLowerCase();
  return (request) => {
    const values = request.headers.values(key);
    return values.length < 2 ? holds(values[0]) : values.some(holds) || holds(values.join(", "));
  };
}

/** Authorities are compared without case; a regular expression determines its own case sensitivity. */
function inLowerCase(match: HeaderMatch): HeaderMatch {
  return match.kind === "exact" || match.kind === "prefix"
    ? { kind: match.kind, value: match.value.toLowerCase() }
    : match;
}

/** A repeated parameter matches when one of its values does. */
function compileQuery(
  params: readonly (readonly [name: string, condition: HeaderMatch])[],
  meter: Meter | undefined,
): Predicate {
  const conditions = params.map(([name, condition]) => ({ name, holds: compileValue(condition, meter) }));
  return (request) => {
    const { first, repeated } = parseQuery(request.query);
    return conditions.every(({ name, holds }) => repeated?.[name]?.some(holds) ?? holds(first[name]));
  };
}

/** `ignoreCase` applies only to exact and prefix, as in Istio. */
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

/** Compiles a condition on one text; `meter` is charged for the work of a regular expression. */
export function compileString(match: StringMatch, meter: Meter | undefined): (value: string) => boolean {
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
