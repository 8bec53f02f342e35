// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Token } from "../errors/expression-error.ts";
import type { Signature } from "./signatures.ts";
import type { Guard } from "./guard.ts";

/** Where a call stands, for its errors. */
export interface CallSite {
  readonly position: number;
  readonly token: Token | undefined;
  /** Set within the right side of `and` and `or`, which claim every error in it. */
  readonly claims?: boolean;
  /** Set where a lambda ends with the call: for the reference it has returned by then, and its errors are not the lambda's. */
  readonly inTail?: boolean;
}

interface Called {
  readonly signature: Signature | undefined;
  /**
   * Where an expression called it last: its errors are there, even those of an outer call when an inner one came after it.
   * The reference keeps it like this, and for longer than an evaluation.
   */
  lastSite?: CallSite | undefined;
}

/** A function that an expression made. */
export interface Lambda extends Called {
  /** Runs the body; may give a tail call instead of a value. */
  readonly run: (values: readonly unknown[]) => unknown;
}

/** A function that expressions may call by name. */
export interface CompiledFunction extends Called {
  readonly name: string;
  readonly arity: number;
  readonly invoke: (guard: Guard, values: readonly unknown[], context: unknown) => unknown;
  /** The function for arguments of which all but the first are known, as constants in an expression are. */
  readonly prepare?: (constants: readonly unknown[]) => ((...values: never[]) => unknown) | undefined;
}

export type Callee = Lambda | CompiledFunction;

export function isLambda(callee: Callee | undefined): callee is Lambda {
  return callee !== undefined && "run" in callee;
}

type Call = (...values: unknown[]) => unknown;

/** The callee behind a function that an expression made, or named; undefined for the host's functions, and for other values. */
export let calleeOf: (target: unknown) => Callee | undefined;

/** What calling the function does. */
export let callOf: (target: FunctionValue) => Call;

/** The host's function behind a value; undefined for one of the language's. */
export function hostOf(target: FunctionValue): Call | undefined {
  return HOSTS.get(target);
}

/** A function of the host's as a value of the language, always the same one; any other value as it is. */
export function fromHost(value: unknown): unknown {
  if (typeof value !== "function") return value;
  let made = MADE.get(value);
  if (made === undefined) {
    const call = value as Call & { readonly arity?: number };
    made = new FunctionValue(call, call.arity ?? call.length, undefined);
    MADE.set(value, made);
    HOSTS.set(made, call);
  }
  return made;
}

const MADE = new WeakMap<object, FunctionValue>();
const HOSTS = new WeakMap<FunctionValue, Call>();

/** How many values the function takes. */
export let arityOf: (target: FunctionValue) => number;

/**
 * A function of the language as a value. An object, as in the reference, and not a JavaScript function: JavaScript would call
 * one that an expression puts under a name of its protocols (`toJSON`, `then`, `toString`, `valueOf` …).
 */
export class FunctionValue {
  /** The mark by which the reference's own functions, and hosts, tell that a value is a function. */
  readonly _jsonata_lambda = true;
  readonly #call: Call;
  readonly #arity: number;
  readonly #callee: Callee | undefined;

  constructor(call: Call, arity: number, callee: Callee | undefined) {
    this.#call = call;
    this.#arity = arity;
    this.#callee = callee;
  }

  static {
    calleeOf = (target) => (isFunctionValue(target) ? target.#callee : undefined);
    callOf = (target) => target.#call;
    arityOf = (target) => target.#arity;
  }
}

export function isFunctionValue(value: unknown): value is FunctionValue {
  return value instanceof FunctionValue;
}
