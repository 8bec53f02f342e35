// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import jsonata from "jsonata";
import { nativeOf } from "../../../expressions/functions/compiled-functions.ts";
import { FORMAT_FUNCTIONS } from "../../../expressions/functions/numbers/format-functions.ts";
import { treeOf } from "../../../expressions/syntax/tree-of.ts";
import { compile } from "../../../expressions/index.ts";

/** The outcome of an evaluation, in a form that is comparable between engines. */
export type Outcome =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "error"; readonly fault: Fault };

export interface Fault {
  /** JSONata's code; undefined for an error without a code. */
  readonly code: string | undefined;
  readonly position: number | undefined;
  readonly token: string | undefined;
  readonly message: string;
  /** The code of the wrapped error, as in $eval's errors. */
  readonly innerCode: string | undefined;
  /** The error's properties that are texts, numbers or booleans, for cases that name them. */
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface RunLimits {
  readonly depth?: number | undefined;
  readonly timeMs?: number | undefined;
  readonly sequence?: number | undefined;
  /**
   * Limit of regular expression matches in one evaluation, after which the reference is stopped with D1012.
   */
  readonly matches?: number | undefined;
}

type Bindings = Readonly<Record<string, unknown>>;

/** A source prepared by one engine; if it does not parse, each run gives that failure. */
export interface Prepared {
  /** undefined if the source does not parse. */
  readonly engine: "compiled" | "interpreted" | undefined;
  run(input: unknown, bindings: Bindings): Promise<Outcome>;
}

/** Prepares a source with our engine. */
export function prepareOurs(source: string, { depth, timeMs, sequence }: RunLimits = {}): Prepared {
  const limits = {
    ...(depth === undefined ? {} : { depth }),
    ...(timeMs === undefined ? {} : { timeMs }),
    ...(sequence === undefined ? {} : { sequence }),
  };
  return prepared(() => {
    const expression = compile(source, { limits });
    return { engine: expression.engine, evaluate: (input, bindings) => expression.evaluate(input, bindings) };
  });
}

/** Prepares a source with the reference; `implementation` may be a variant of it. */
export function prepareReference(
  source: string,
  limits: RunLimits = {},
  implementation: typeof jsonata = jsonata,
): Prepared {
  const { depth, timeMs, sequence, matches } = limits;
  const counted = matches === undefined ? undefined : countedRegExp(matches);
  const options = {
    ...(depth === undefined ? {} : { stack: depth }),
    ...(timeMs === undefined ? {} : { timeout: timeMs }),
    ...(sequence === undefined ? {} : { sequence }),
    ...(counted === undefined ? {} : { RegexEngine: counted.engine }),
  };
  return prepared(() => {
    const expression = implementation(source, options);
    // Restores the patterns before ?? and ?:, on which the reference does not end or fails.
    treeOf(expression);
    // Replaces the format functions, which do not end on NaN and Infinity in the reference.
    for (const definition of FORMAT_FUNCTIONS) expression.assign(definition.name, nativeOf(definition));
    const evaluate = (input: unknown, bindings: Bindings) => {
      counted?.restart();
      return expression.evaluate(input, { ...bindings });
    };
    return { engine: "interpreted", evaluate };
  });
}

/** A counting RegExp: the reference's guards do not see its loops over matches, some of which never end. */
function countedRegExp(limit: number): { engine: RegExpConstructor; restart: () => void } {
  let count = 0;
  class CountedRegExp extends RegExp {
    override exec(text: string): RegExpExecArray | null {
      if (++count > limit) throw Object.assign(new Error("too many matches"), { code: "D1012" });
      return super.exec(text);
    }
  }
  return {
    engine: CountedRegExp as RegExpConstructor,
    restart: () => {
      count = 0;
    },
  };
}

function prepared(
  read: () => {
    engine: "compiled" | "interpreted";
    evaluate: (input: unknown, bindings: Bindings) => unknown;
  },
): Prepared {
  try {
    const { engine, evaluate } = read();
    return { engine, run: (input, bindings) => outcomeOf(() => evaluate(input, bindings)) };
  } catch (error) {
    const outcome = faultOutcome(error);
    return { engine: undefined, run: async () => outcome };
  }
}

async function outcomeOf(evaluate: () => unknown): Promise<Outcome> {
  try {
    const value = evaluate();
    return { kind: "value", value: plain(value instanceof Promise ? await value : value, 0) };
  } catch (error) {
    return faultOutcome(error);
  }
}

export const FUNCTION = "[a function]";

/** Deepest nesting of a compared result; a deeper value contains itself. */
const NESTING_LIMIT = 500;

/** Most members of a compared result; a value that contains itself twice has exponentially many. */
const MEMBERS_LIMIT = 1_000_000;

/** The value without the engines' marks on arrays, and with all functions replaced by one mark. */
function plain(value: unknown, depth: number, seen = { members: 0 }): unknown {
  if (depth > NESTING_LIMIT) return "[nested too deep]";
  if (++seen.members > MEMBERS_LIMIT) return "[too large]";
  if (typeof value === "function") return FUNCTION;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return Array.from(value, (item) => plain(item, depth + 1, seen));
  if (isFunctionObject(value)) return FUNCTION;
  const copy: Record<string, unknown> = Object.create(null);
  for (const [key, item] of Object.entries(value)) copy[key] = plain(item, depth + 1, seen);
  return copy;
}

/**
 * Whether an object stands for a function: the reference marks such objects, our engine has a class for them.
 */
function isFunctionObject(value: object): boolean {
  if ("_jsonata_lambda" in value || "_jsonata_function" in value) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype !== Object.prototype && prototype !== null && !("__proto__" in { ...value });
}

function faultOutcome(error: unknown): Outcome {
  const fields = (typeof error === "object" && error !== null ? error : {}) as Record<string, unknown>;
  const { code, position, token, error: inner } = fields;
  const message = error instanceof Error ? error.message : String(fields["message"] ?? error);
  const simple = Object.entries(fields).filter(([, value]) =>
    ["string", "number", "boolean"].includes(typeof value),
  );
  return {
    kind: "error",
    fault: {
      code: typeof code === "string" ? code : undefined,
      position: typeof position === "number" ? position : undefined,
      token: typeof token === "string" ? token : undefined,
      message,
      innerCode: (inner as { code?: string } | undefined)?.code,
      fields: { ...Object.fromEntries(simple), message },
    },
  };
}
