// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { CallSite } from "./call-sites.ts";
import type { Signature } from "./signatures.ts";
import type { Guard } from "../guard.ts";

/** A function that an expression made. */
export interface Lambda {
  readonly signature: Signature | undefined;
  /** The place where the evaluation that made it called it last: its errors are there. */
  lastSite?: CallSite | undefined;
  /** Runs the body; may give a tail call instead of a value. */
  readonly run: (values: readonly unknown[]) => unknown;
}

/** A function that expressions may call by name. */
export interface CompiledFunction {
  readonly signature: Signature | undefined;
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

/** The JavaScript function that a call of the value runs. */
export let callOf: (target: FunctionValue) => Call;

/** The number of values that the function takes. */
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

/** The host's function behind a value; undefined for one of the language's. */
export let hostOf: (target: FunctionValue) => Call | undefined;

/** A function of the host's as a value of the language. */
class HostFunctionValue extends FunctionValue {
  readonly #host: Call;

  constructor(host: Call & { readonly arity?: number }) {
    super(host, host.arity ?? host.length, undefined);
    this.#host = host;
  }

  static {
    hostOf = (target) => (target instanceof HostFunctionValue ? target.#host : undefined);
  }
}

/** A function of the host's as a value of the language, always the same one; any other value as it is. */
export function fromHost(value: unknown): unknown {
  if (typeof value !== "function") return value;
  let made = HOST_FUNCTION_VALUES.get(value);
  if (made === undefined) HOST_FUNCTION_VALUES.set(value, (made = new HostFunctionValue(value as Call)));
  return made;
}

/** Weak, and by the host's function, which may be frozen: one function is one value wherever it is bound. No request is in it. */
const HOST_FUNCTION_VALUES = new WeakMap<object, HostFunctionValue>();
