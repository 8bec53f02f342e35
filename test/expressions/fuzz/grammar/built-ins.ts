// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Sort } from "./state.ts";

/**
 * The kind of argument that a built-in's parameter takes: a type, or one of the kinds of texts and functions
 * below.
 */
export type Wanted =
  | Sort
  | "array"
  | "small"
  | "pattern"
  | "replacement"
  | "mapper"
  | "test"
  | "reducer"
  | "comparator"
  | "fieldMapper"
  | "fieldTest"
  | "numberPicture"
  | "numberOptions"
  | "integerPicture"
  | "numeral"
  | "datePicture"
  | "date"
  | "timezone"
  | "radix"
  | "encoded"
  | "source";

export interface BuiltIn {
  readonly name: string;
  readonly wants: readonly Wanted[];
  /** Number of optional parameters, counted from the end. */
  readonly optional: number;
  readonly gives: Sort;
}

const builtIn = (gives: Sort, name: string, wants: readonly Wanted[], optional = 0): BuiltIn => ({
  name,
  wants,
  optional,
  gives,
});

/** Every function of JSONata 2.2.2, without random and time functions, which FIXED_CALLS has. */
export const BUILT_INS: readonly BuiltIn[] = [
  builtIn("number", "sum", ["numbers"]),
  builtIn("number", "count", ["array"]),
  builtIn("number", "max", ["numbers"]),
  builtIn("number", "min", ["numbers"]),
  builtIn("number", "average", ["numbers"]),
  builtIn("number", "length", ["string"]),
  builtIn("number", "number", ["encoded"]),
  builtIn("number", "floor", ["number"]),
  builtIn("number", "ceil", ["number"]),
  builtIn("number", "round", ["number", "small"], 1),
  builtIn("number", "abs", ["number"]),
  builtIn("number", "sqrt", ["number"]),
  builtIn("number", "power", ["number", "small"]),
  builtIn("number", "parseInteger", ["numeral", "integerPicture"]),
  builtIn("number", "toMillis", ["date", "datePicture"], 1),
  builtIn("string", "string", ["any", "boolean"], 1),
  builtIn("string", "substring", ["string", "small", "small"], 1),
  builtIn("string", "substringBefore", ["string", "string"]),
  builtIn("string", "substringAfter", ["string", "string"]),
  builtIn("string", "lowercase", ["string"]),
  builtIn("string", "uppercase", ["string"]),
  builtIn("string", "trim", ["string"]),
  builtIn("string", "pad", ["string", "small", "string"], 1),
  builtIn("string", "replace", ["string", "pattern", "replacement", "small"], 1),
  builtIn("string", "join", ["strings", "string"], 1),
  builtIn("string", "formatNumber", ["number", "numberPicture", "numberOptions"], 1),
  builtIn("string", "formatBase", ["number", "radix"], 1),
  builtIn("string", "formatInteger", ["number", "integerPicture"]),
  builtIn("string", "fromMillis", ["number", "datePicture", "timezone"], 2),
  builtIn("string", "base64encode", ["string"]),
  builtIn("string", "base64decode", ["encoded"]),
  builtIn("string", "encodeUrlComponent", ["string"]),
  builtIn("string", "encodeUrl", ["string"]),
  builtIn("string", "decodeUrlComponent", ["encoded"]),
  builtIn("string", "decodeUrl", ["encoded"]),
  builtIn("string", "type", ["any"]),
  builtIn("boolean", "contains", ["string", "pattern"]),
  builtIn("boolean", "boolean", ["any"]),
  builtIn("boolean", "not", ["any"]),
  builtIn("boolean", "exists", ["any"]),
  builtIn("strings", "split", ["string", "pattern", "small"], 1),
  builtIn("strings", "keys", ["object"]),
  builtIn("strings", "keys", ["objects"]),
  builtIn("objects", "match", ["string", "pattern", "small"], 1),
  builtIn("objects", "spread", ["object"]),
  builtIn("objects", "spread", ["objects"]),
  builtIn("any", "map", ["array", "mapper"]),
  builtIn("any", "filter", ["array", "test"]),
  builtIn("any", "single", ["array", "test"], 1),
  builtIn("any", "reduce", ["array", "reducer", "any"], 1),
  builtIn("any", "lookup", ["object", "string"]),
  builtIn("any", "lookup", ["objects", "string"]),
  builtIn("any", "append", ["any", "any"]),
  builtIn("any", "reverse", ["array"]),
  builtIn("any", "zip", ["array", "array", "array"], 2),
  builtIn("any", "each", ["object", "fieldMapper"]),
  builtIn("any", "sort", ["array", "comparator"], 1),
  builtIn("any", "distinct", ["array"]),
  builtIn("any", "error", ["string"], 1),
  builtIn("any", "assert", ["boolean", "string"], 1),
  builtIn("any", "eval", ["source", "any"], 1),
  builtIn("numbers", "sort", ["numbers", "comparator"], 1),
  builtIn("numbers", "append", ["numbers", "numbers"]),
  builtIn("numbers", "distinct", ["numbers"]),
  builtIn("numbers", "reverse", ["numbers"]),
  builtIn("object", "merge", ["objects"]),
  builtIn("object", "sift", ["object", "fieldTest"], 1),
  builtIn("object", "clone", ["object"]),
];

/** Calls of random and time functions whose results depend on neither. */
export const FIXED_CALLS: Readonly<Partial<Record<Sort, readonly string[]>>> = {
  number: ["$count($shuffle(xs))", "$sum($shuffle([1,2,3]))", "($millis() - $millis())"],
  boolean: ["($random() < 1)", "($now() = $now())", "($toMillis($now()) = $millis())", "($millis() > 0)"],
  string: ["$type($random())", "$type($now())"],
  numbers: ["$sort($shuffle([3,1,2]))", "$shuffle([])", "$shuffle([1])"],
};
