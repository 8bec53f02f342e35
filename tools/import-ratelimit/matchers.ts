// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { literal, negated } from "./entry.ts";
import { headerAttribute, queryAttribute } from "./request-parts.ts";
import type { YamlPart } from "./yaml-part.ts";

const HEADER_FIELDS = [
  "name",
  "exact_match",
  "prefix_match",
  "suffix_match",
  "contains_match",
  "safe_regex_match",
  "range_match",
  "present_match",
  "string_match",
  "invert_match",
  "treat_missing_header_as_empty",
];

/**
 * The condition of an Envoy HeaderMatcher. A header that is absent fails every test of its value, inverted or
 * not (Envoy, source/common/http/header_utility.cc, matchHeaders).
 */
export function headerCondition(part: YamlPart): string | undefined {
  if (!part.hasOnly(HEADER_FIELDS)) return undefined;
  const name = part.neededText("name");
  const inverted = part.flag("invert_match");
  if (part.flag("treat_missing_header_as_empty"))
    part
      .field("treat_missing_header_as_empty")
      ?.unsupported("treat_missing_header_as_empty has no counterpart");
  const value = name === undefined ? undefined : headerAttribute(name, part);
  if (value === undefined) return undefined;
  const present = `$exists(${value})`;
  const presence = part.field("present_match");
  const test = valueTest(value, part);
  if (test === undefined) {
    const wanted = presence === undefined || part.flag("present_match");
    return wanted === inverted ? negated(present) : present;
  }
  return test === "" ? present : `${present} and ${inverted ? negated(test) : test}`;
}

/** The test of the value; undefined when the matcher has none, empty after a fault. */
function valueTest(value: string, part: YamlPart): string | undefined {
  const exact = part.text("exact_match");
  // An empty exact_match matches every value, as in header_utility.cc.
  if (exact !== undefined) return exact === "" ? "true" : `${value} = ${literal(exact)}`;
  for (const kind of ["prefix", "suffix", "contains"] as const) {
    const text = part.text(`${kind}_match`);
    if (text !== undefined) return TESTS[kind](value, text);
  }
  const regex = part.field("safe_regex_match");
  if (regex !== undefined) return regexTest(value, regex);
  const range = part.field("range_match");
  if (range !== undefined) return rangeTest(value, range);
  const string = part.field("string_match");
  return string === undefined ? undefined : stringTest(value, string);
}

const TESTS = {
  exact: (value: string, text: string) => `${value} = ${literal(text)}`,
  prefix: (value: string, text: string) => `$startsWith(${value}, ${literal(text)})`,
  suffix: (value: string, text: string) => `$endsWith(${value}, ${literal(text)})`,
  contains: (value: string, text: string) => `$contains(${value}, ${literal(text)})`,
} as const;

/** The test of an Envoy StringMatcher; empty after a fault. */
function stringTest(value: string, part: YamlPart): string {
  const names = ["exact", "prefix", "suffix", "contains"] as const;
  if (!part.hasOnly([...names, "safe_regex", "ignore_case"])) return "";
  const ignoresCase = part.flag("ignore_case");
  const compared = ignoresCase ? `$lowercase(${value})` : value;
  for (const name of names) {
    const text = part.text(name);
    if (text !== undefined) return TESTS[name](compared, ignoresCase ? text.toLowerCase() : text);
  }
  const regex = part.field("safe_regex");
  if (regex !== undefined) return regexTest(value, regex);
  part.invalid(`a string matcher needs one of ${names.join(", ")}, safe_regex`);
  return "";
}

/** Constructs of RE2 that JavaScript lacks or reads as something else. */
const RE2_ONLY = /\(\?(?![:])|\\[AzCQEpP]|\[\[:/;

/** The test of a pattern that matches the whole value, as RE2::FullMatch does; empty after a fault. */
function regexTest(value: string, part: YamlPart): string {
  if (!part.hasOnly(["regex", "google_re2"])) return "";
  const regex = part.neededText("regex");
  if (regex === undefined) return "";
  const whole = `^(?:${regex})$`;
  if (RE2_ONLY.test(regex) || !isPattern(whole)) {
    part
      .field("regex")
      ?.unsupported(
        `the pattern ${literal(regex)} has a construct of RE2 that a pattern of an expression does not have`,
      );
    return "";
  }
  return `$contains(${value}, /${escapeSlashes(whole)}/)`;
}

function isPattern(source: string): boolean {
  try {
    return new RegExp(source) instanceof RegExp;
  } catch {
    return false;
  }
}

function escapeSlashes(pattern: string): string {
  return pattern.replace(/\\.|\//g, (part) => (part === "/" ? "\\/" : part));
}

/** The test of a half-open range of whole numbers; empty after a fault. */
function rangeTest(value: string, part: YamlPart): string {
  const bounds = ["start", "end"].map((name) =>
    part.field(name) === undefined
      ? 0
      : part.wholeNumber(name, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
  );
  const [start, end] = bounds;
  if (!part.hasOnly(["start", "end"]) || start === undefined || end === undefined) return "";
  const number = `$number(${value})`;
  // A sum of digits that is no number of JSON, such as 007, is compared as its value.
  const digits = `$contains(${value}, /^-?\\d{1,15}$/)`;
  return `(${digits} and ${number} >= ${start} and ${number} < ${end})`;
}

/** The condition of an Envoy QueryParameterMatcher; undefined after a fault. */
export function queryCondition(part: YamlPart): string | undefined {
  if (!part.hasOnly(["name", "string_match", "present_match"])) return undefined;
  const name = part.neededText("name");
  if (name === undefined) return undefined;
  const value = queryAttribute(name);
  const present = `$exists(${value})`;
  const string = part.field("string_match");
  if (string !== undefined) return `${present} and ${stringTest(value, string)}`;
  return part.flag("present_match", true) ? present : negated(present);
}
