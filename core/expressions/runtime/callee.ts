// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Token } from "../expression.ts";
import type { Signature } from "../signatures.ts";
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

/** A symbol, as a name is something that an expression can come upon. */
const CALLEE: unique symbol = Symbol("callee");

/** What is behind a function that an expression made, or named; undefined for the host's, and for what is none. */
export function calleeOf(target: unknown): Callee | undefined {
  return typeof target === "function" ? (target as { [CALLEE]?: Callee })[CALLEE] : undefined;
}

/** Makes a JavaScript function, which the reference's own functions can call, one of an expression's. */
export function asFunction(
  call: (...values: unknown[]) => unknown,
  arity: number,
  callee: Callee | undefined,
): unknown {
  const made = call as typeof call & { arity: number; toString: () => string; [CALLEE]: Callee | undefined };
  made.arity = arity;
  made.toString = objectText;
  made[CALLEE] = callee;
  return made;
}

/** What is made of a function where the reference, to which it is an object, makes text of it. */
const objectText = (): string => "[object Object]";
