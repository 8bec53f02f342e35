// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Inline code in place of a call, for the types that arguments usually have. Other arguments take the call. A
 * fast path charges no step of its own, so its work must be bounded by FAST_LENGTH or charged by the function
 * that it runs.
 */
export type FastPath =
  | TypedPath
  | PatternPath
  | LambdaPath
  /** `run(guard, a, b)` for two arguments of any type. */
  | { readonly kind: "untyped"; readonly run: Run }
  /** `$contains` with a pattern literal. */
  | { readonly kind: "pattern test" }
  /** `$exists`, which asks for a path's presence without reading its value. */
  | { readonly kind: "existence" }
  /** `$boolean` and `$not`, as a condition. */
  | { readonly kind: "truth"; readonly negated: boolean }
  /** `$string` of a string or a finite number. */
  | { readonly kind: "text" }
  /** `$count`. */
  | { readonly kind: "count" }
  /** `$millis`. */
  | { readonly kind: "time" };

/**
 * Arguments of known types. Texts and arrays beyond FAST_LENGTH are left to the call, unless `run` leaves
 * them to it.
 */
export interface TypedPath {
  readonly kind: "typed";
  readonly types: readonly FastType[];
  /**
   * Called with the guard first if `isGuarded`; undefined means to make the call instead, unless `isTotal`.
   */
  readonly run?: Run;
  /** JavaScript for the result, in place of `run`; its parameters are the names of the arguments. */
  readonly code?: (values: readonly string[]) => string;
  readonly isGuarded?: true;
  /** True when undefined is a result too. */
  readonly isTotal?: true;
  /** True when the first argument, a string, must not be longer than FAST_LENGTH. */
  readonly isShort?: true;
  readonly gives?: "boolean";
  /**
   * True for a call with an index after it, `$split(text, "-")[1]`; `run` gets the index as its last
   * argument.
   */
  readonly ofItem?: true;
}

/**
 * A text, a pattern literal, and optionally a replacement text: `run(guard, text, pattern, replacement?,
 * site)`.
 */
export interface PatternPath {
  readonly kind: "pattern";
  readonly values: 2 | 3;
  readonly run: Run;
}

/** A list and a lambda literal: `run(guard, list, body, arity, function, site)`. */
export interface LambdaPath {
  readonly kind: "lambda";
  readonly run: Run;
}

export type FastType = "string" | "number" | "array";

type Run = (...values: never[]) => unknown;

/** Longest text and array for which a function takes no longer than its call. */
export const FAST_LENGTH = 256;
