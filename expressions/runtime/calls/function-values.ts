// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { ExpressionError } from "../../errors/expression-error.ts";
import { signatureOf } from "./signatures.ts";
import type { CallSite } from "./call-sites.ts";
import { calleeOf, type CompiledFunction, FunctionValue, isLambda, type Lambda } from "./callee.ts";
import { applyFunction, declaredArity, explainMissing, type MissingDollar, TailCall } from "./calls.ts";
import type { Guard } from "../guard.ts";
import { settle } from "../sequence.ts";
import { isFunction } from "./function-marks.ts";

/** `function($a) { … }` */
export function createLambda(
  guard: Guard,
  arity: number,
  signature: string | undefined,
  run: Lambda["run"],
): unknown {
  const lambda: unknown = new FunctionValue(
    (...values) => applyFunction(guard, lambda, values, undefined),
    arity,
    {
      signature: signature === undefined ? undefined : signatureOf(signature),
      run,
    },
  );
  return lambda;
}

/** A named function as a value. */
export function functionValue(guard: Guard, compiled: CompiledFunction, context: unknown): unknown {
  const value: unknown = new FunctionValue(
    (...values) => applyFunction(guard, value, values, context),
    compiled.arity,
    compiled,
  );
  return value;
}

/** `?` in a partial application. */
export const HOLE: unique symbol = Symbol("?");

export function partial(
  guard: Guard,
  target: unknown,
  values: readonly unknown[],
  site: CallSite,
  explain?: MissingDollar,
): unknown {
  if (target === undefined) explainMissing(explain);
  const declared = declaredArity(target);
  if (declared === undefined)
    throw new ExpressionError("T1008", "only a function can be applied in part", {
      position: site.position,
      ...(site.token === undefined ? {} : { token: site.token }),
    });
  // A function of JSONata's that declares no parameter takes one all the same.
  const arity = isLambda(calleeOf(target)) ? declared : Math.max(1, declared);
  const open = Array.from({ length: arity }, (_, index) => index).filter((index) => values[index] === HOLE);
  return createLambda(guard, open.length, undefined, (given) => {
    const all = Array.from({ length: arity }, (_, index) => values[index]);
    open.forEach((index, at) => (all[index] = given[at]));
    const callee = calleeOf(target);
    if (isLambda(callee)) return callee.run(all);
    if (callee !== undefined) return callee.invoke(guard, all, undefined);
    return applyFunction(guard, target, all, undefined);
  });
}

/** `lhs ~> f`, where `f` is no call: applies it, or makes one function of two. */
export function pipe(guard: Guard, left: unknown, right: unknown, position: number): unknown {
  if (!isFunction(right))
    throw new ExpressionError("T2006", "the right side of ~> is not a function", { position, value: right });
  if (!isFunction(left)) return applyFunction(guard, right, [left], null);
  return createLambda(
    guard,
    1,
    undefined,
    ([value]) =>
      new TailCall(
        () => right,
        () => [settle(applyFunction(guard, left, [value], null))],
        0,
        "g",
      ),
  );
}
