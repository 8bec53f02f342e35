// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Guard } from "../runtime/guard.ts";
import type { FastPath } from "./fast-path.ts";

/**
 * The record of a function of the language: the one source of facts for the compiler, the checker, the
 * analysis and the interpreter. An absent field has the default that its comment names.
 */
export interface FunctionDefinition {
  /** Name without the `$`. */
  readonly name: string;
  /**
   * Types of the arguments and of the result in JSONata's notation: `<s-s:b>` takes two strings, the first of
   * them from the context if only one is given. For the checker the result is more exact than in JSONata's
   * documentation: `?` marks a result that may be absent although no argument is, and a choice such as `(ao)`
   * an item that may come without its list.
   */
  readonly signature: string;
  /**
   * Calls with fewer arguments read the context. Default: the number of required arguments where the
   * signature takes the context (`-`), otherwise 0.
   */
  readonly contextBelow?: number;
  /**
   * The dependence of the result on more than the arguments; default: none, so a decision made with it is
   * cacheable.
   */
  readonly varies?: "with time" | "by chance";
  /**
   * True when an absent first argument is passed like any other. Default: an absent first argument gives no
   * value.
   */
  readonly takesAbsent?: true;
  /**
   * Charges the guard before a call, besides the charge that every call pays for the size of its arguments;
   * "measured": the function compiles its arguments, so that only the clock measures a call. Default: no
   * further charge.
   */
  readonly cost?: Charge | "measured";
  /**
   * True when the function returns its arguments without converting them to text, so that no conversion is
   * charged.
   */
  readonly keepsArguments?: true;
  /** True when the function calls a function, or a pattern, that is one of its arguments. */
  readonly callsBack?: true;
  /**
   * The implementation for compiled code; default: `implementation`, called with the guard's focus as `this`.
   */
  readonly invoke?: Invoke;
  /**
   * The implementation for JSONata's interpreter, synchronous and dependent on its arguments alone; default:
   * the `jsonata` package's function of this name.
   * @throws {ExpressionError} D4xxx (`FUNCTION_ERRORS`) for mistakes of an expression's author and for
   *   exceeded limits. Malformed data of a request gives false or undefined.
   */
  readonly implementation?: (...values: never[]) => unknown;
  /**
   * Compiles constant arguments after the first, once for an expression: the result takes the first argument
   * alone. Undefined when the number or the types of the constants do not fit.
   * @throws {ExpressionError} as `implementation` would.
   */
  readonly prepare?: Prepare;
  /** Code of compiled expressions in place of a call, tried in this order; default: none. */
  readonly fastPaths?: readonly FastPath[];
  /**
   * Limits on calls in documents' expressions, from which users of the library `purser/expressions` are
   * exempt; default: none.
   */
  readonly restriction?: Restriction;
  /** Facts for the checker besides the types; default: none. */
  readonly checks?: FunctionChecks;
  /** The function's section in docs/reference/functions.md, required for every function that JSONata does not have. */
  readonly docs?: FunctionDocs;
}

/**
 * Charges the steps of a call before it is made; a step takes about 0.1 µs.
 * @throws {ExpressionError} D1012, D2015
 */
export type Charge = (guard: Guard, values: readonly unknown[]) => void;

/** @param context The context value at the call. */
export type Invoke = (guard: Guard, values: readonly unknown[], context: unknown) => unknown;

export type Prepare = (constants: readonly unknown[]) => ((...values: never[]) => unknown) | undefined;

export interface Restriction {
  /**
   * Checks the arguments before a call.
   * @throws {ExpressionError} for arguments with which one call could take very long.
   */
  readonly refuse: (values: readonly unknown[]) => void;
  /** The largest number of arguments in an expression, and the reason for the message. */
  readonly mostArguments?: { readonly count: number; readonly reason: string };
}

export interface FunctionChecks {
  /** The role of the function in a condition, which the checker and the analysis treat specially. */
  readonly meaning?: Meaning;
  /** The comparison of the first argument with the second, for a function whose calls are comparisons. */
  readonly test?: CallTest;
  /**
   * True when the function searches its first argument for its second; the checker warns of swapped
   * arguments.
   */
  readonly searches?: true;
  /** The relation of the resulting text, or of the items of the resulting list, to the first argument. */
  readonly text?: TextOfResult;
  /** The members that a resulting object always has: the type of each, or its possible texts. */
  readonly members?: Readonly<Record<string, "number" | "string" | readonly string[]>>;
}

/**
 * The roles of `$not`, `$boolean`, `$exists`, `$lookup`, `$match`, `$split`, `$count` and `$number`, in this
 * order.
 */
export type Meaning =
  | "negation"
  | "truth"
  | "existence"
  | "member"
  | "matches"
  | "parts"
  | "count"
  | "numeral";

/**
 * The test of the first argument against the second: equals, begins with, ends with, contains; matches a glob
 * or a path template; is in CIDR blocks.
 */
export type CallTest = "equal" | "start" | "end" | "part" | "glob" | "template" | "block";

/** The first argument itself, in lower or upper case, or a part of it. */
export type TextOfResult = "same" | "lower" | "upper" | "before" | "after" | "slice" | "parts";

export interface FunctionDocs {
  readonly summary: string;
  /** Names of the parameters; `?` at the end marks an optional one. */
  readonly parameters: readonly string[];
  readonly examples: readonly {
    readonly expression: string;
    /** The value of the example; undefined for an absent value. */
    readonly result: unknown;
  }[];
}
