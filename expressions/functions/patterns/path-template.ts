// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { functionError, quoted } from "../error-codes.ts";

/** Longest template, in UTF-16 units. */
const MAX_TEMPLATE_LENGTH = 1024;

/** A compiled path template. */
export interface PathTemplate {
  /** The values of the variables in `path`; undefined when `path` does not match. */
  match(path: string): ReadonlyMap<string, string> | undefined;
  /** Whether `path`, which has no query, matches; the time is linear in the template's segments. */
  matches(path: string): boolean;
}

/** A literal, or undefined for `*`. */
type Segment = string | undefined;

interface Variable {
  readonly name: string;
  /** Range of segment indexes, `to` exclusive; Infinity when the variable ends with `**`. */
  readonly from: number;
  readonly to: number;
}

interface Parsed {
  readonly segments: Segment[];
  readonly variables: Variable[];
  /** Whether the last segment is `**`. */
  rest: boolean;
}

/**
 * The templates of Envoy and of Google's API annotations: `/users/{id}/files/{path=**}`. `*` is one segment
 * that is not empty; `**`, only at the end, is the rest of the path, which may be a slash alone;
 * `{name}` is a `*` with a name, `{name=…}` a name for the segments within it.
 *
 * @throws {ExpressionError} D4003
 */
export function parsePathTemplate(template: string): PathTemplate {
  if (template.length > MAX_TEMPLATE_LENGTH)
    throw functionError("D4003", `a path template is longer than ${MAX_TEMPLATE_LENGTH} characters`);
  if (!template.startsWith("/")) throw malformed(template, "must begin with /");
  const parsed: Parsed = { segments: [], variables: [], rest: false };
  for (const part of partsOf(template)) addPart(parsed, part, template);
  return {
    match: (target) => match(parsed, withoutQuery(target)),
    matches: (path) => startsOf(parsed, path) !== undefined,
  };
}

/** Splits at the slashes outside braces. */
function partsOf(template: string): string[] {
  const parts: string[] = [];
  let start = 1;
  let inside = false;
  for (let at = 1; at <= template.length; at++) {
    const character = template[at];
    if (character === undefined || (character === "/" && !inside)) {
      parts.push(template.slice(start, at));
      start = at + 1;
    } else if (character === "{") {
      if (inside) throw malformed(template, "has a variable within a variable");
      inside = true;
    } else if (character === "}") inside = false;
  }
  return parts;
}

function addPart(parsed: Parsed, part: string, template: string): void {
  const variable = /^\{([^=}]*)(?:=([^}]*))?\}$/.exec(part);
  if (variable === null) {
    addSegment(parsed, part, template);
    return;
  }
  const [, name = "", pattern = "*"] = variable;
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
    throw malformed(template, `has the variable name ${quoted(name)}: letters, digits and _ make one`);
  // JSONata takes an object with such a member for a function.
  if (name.startsWith("_jsonata_")) throw malformed(template, `has the reserved variable name ${name}`);
  if (parsed.variables.some((known) => known.name === name))
    throw malformed(template, `has the variable ${name} twice`);
  const from = parsed.segments.length;
  for (const segment of pattern.split("/")) {
    if (segment === "") throw malformed(template, `has an empty segment in the variable ${name}`);
    addSegment(parsed, segment, template);
  }
  parsed.variables.push({ name, from, to: parsed.rest ? Number.POSITIVE_INFINITY : parsed.segments.length });
}

function addSegment(parsed: Parsed, segment: string, template: string): void {
  if (parsed.rest) throw malformed(template, "has something after **, which is the rest of a path");
  if (segment === "**") parsed.rest = true;
  else if (segment === "*") parsed.segments.push(undefined);
  else if (/[*{}?#]/.test(segment))
    throw malformed(
      template,
      `has the segment ${quoted(segment)}: *, ** and {…} stand alone, ? and # nowhere`,
    );
  else parsed.segments.push(segment);
}

function malformed(template: string, what: string): Error {
  return functionError("D4003", `the path template ${quoted(template)} ${what}`);
}

function match({ segments, variables, rest }: Parsed, path: string): ReadonlyMap<string, string> | undefined {
  const starts = startsOf({ segments, rest }, path);
  if (starts === undefined) return undefined;
  return new Map(
    variables.map(({ name, from, to }) => [
      name,
      path.slice(starts[from], to === Number.POSITIVE_INFINITY ? path.length : (starts[to] as number) - 1),
    ]),
  );
}

/** The offset at which each segment of a matching path begins, and the offset after the last of them. */
function startsOf(
  { segments, rest }: Pick<Parsed, "segments" | "rest">,
  path: string,
): readonly number[] | undefined {
  if (!path.startsWith("/")) return undefined;
  const starts: number[] = [];
  let at = 1;
  for (const segment of segments) {
    if (at > path.length) return undefined;
    const slash = path.indexOf("/", at);
    const end = slash === -1 ? path.length : slash;
    if (segment === undefined ? end === at : end - at !== segment.length || !path.startsWith(segment, at))
      return undefined;
    starts.push(at);
    at = end + 1;
  }
  if (rest ? at > path.length : at <= path.length) return undefined;
  starts.push(at);
  return starts;
}

/** The path of a request target, without its query and fragment. */
export function withoutQuery(target: string): string {
  const end = target.search(/[?#]/);
  return end === -1 ? target : target.slice(0, end);
}
