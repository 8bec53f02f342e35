// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** A sort of value, as JSONata tells them apart when it compares and calls. */
export type Kind = "string" | "number" | "boolean" | "null" | "array" | "object" | "function";

/** The types of a function's arguments and of its result. */
export interface FunctionType {
  readonly parameters: readonly ParameterType[];
  readonly result: ReadonlySet<Kind>;
  /** Whether the result may be absent although no argument is. */
  readonly resultOptional: boolean;
  /** The types of a resulting list's items; undefined when the signature does not tell them. */
  readonly resultItems: ReadonlySet<Kind> | undefined;
}

export interface ParameterType {
  readonly kinds: ReadonlySet<Kind>;
  readonly optional: boolean;
  /** Whether the context stands in for this argument when one is missing. */
  readonly contextual: boolean;
  /** Whether any number of arguments is taken here. */
  readonly repeated: boolean;
  /** For a list: the types of its items. A single value counts as a list of one. */
  readonly items?: ReadonlySet<Kind>;
}

const KINDS_OF_LETTER: Readonly<Record<string, readonly Kind[]>> = {
  s: ["string"],
  n: ["number"],
  b: ["boolean"],
  l: ["null"],
  a: ["array"],
  o: ["object"],
  f: ["function"],
  u: ["string", "number", "boolean", "null"],
  j: ["string", "number", "boolean", "null", "array", "object"],
  x: ["string", "number", "boolean", "null", "array", "object", "function"],
};

/**
 * Reads the signature notation that JSONata documents for functions, such as `<s-(sf)n?:b>`. Besides, a result may be a
 * choice or optional: `<s-s:(ao)?>`. The parameters of a parameter that is a function are ignored.
 */
export function functionType(signature: string): FunctionType {
  const [parameters = "", result = "x"] = splitAtColon(signature.slice(1, -1));
  const [given] = [...parametersIn(result)];
  return {
    parameters: [...parametersIn(parameters)],
    result: given?.kinds ?? new Set(KINDS_OF_LETTER["x"]),
    resultOptional: given?.optional ?? true,
    resultItems: result.includes("<") ? given?.items : undefined,
  };
}

const PARAMETER = /(?:\((?<choice>[^)]*)\)|(?<letter>[a-z]))(?:<(?<items>[^<>]*)>)?(?<marks>[-?+]*)/g;

function* parametersIn(text: string): Generator<ParameterType> {
  for (const { groups = {} } of text.matchAll(PARAMETER)) {
    const letters = groups["choice"] ?? groups["letter"] ?? "x";
    const marks = groups["marks"] ?? "";
    const items = groups["items"];
    yield {
      kinds: kindsOf(letters),
      optional: marks.includes("?"),
      contextual: marks.includes("-"),
      repeated: marks.includes("+"),
      ...(letters === "a" ? { items: kindsOf(items ?? "x") } : {}),
    };
  }
}

function kindsOf(letters: string): ReadonlySet<Kind> {
  return new Set(letters.split("").flatMap((letter) => KINDS_OF_LETTER[letter] ?? []));
}

/** Splits at the colon outside all brackets. */
function splitAtColon(text: string): readonly string[] {
  let depth = 0;
  for (const [index, char] of text.split("").entries()) {
    if ("<(".includes(char)) depth++;
    if (">)".includes(char)) depth--;
    if (char === ":" && depth === 0) return [text.slice(0, index), text.slice(index + 1)];
  }
  return [text];
}
