// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { ExpressionError } from "../expression.ts";
import { builtinOf, type ReferenceFunction } from "../reference-functions.ts";
import { type Signature, signatureOf } from "../signatures.ts";
import type { Guard } from "./guard.ts";
import { createSequence, type Sequence, settle } from "./sequence.ts";
import { isFunction } from "./values.ts";

/** A function that an expression made: a JavaScript function, so that the reference's own functions can call it. */
export interface Lambda {
  (...values: unknown[]): unknown;
  readonly lambda: true;
  readonly arity: number;
  readonly signature: Signature | undefined;
  /** Runs the body; may give a tail call instead of a value. */
  readonly run: (values: readonly unknown[]) => unknown;
  /** Where an expression called it last: see CompiledFunction. */
  lastSite?: CallSite | undefined;
}

/**
 * A call in tail position, made by whoever called the function, so that the stack does not grow. What it calls, and with
 * which values, is evaluated then too.
 */
export class TailCall {
  readonly target: () => unknown;
  readonly values: () => readonly unknown[];
  readonly position: number;
  readonly token: string | undefined;

  constructor(
    target: () => unknown,
    values: () => readonly unknown[],
    position: number,
    token: string | undefined,
  ) {
    this.target = target;
    this.values = values;
    this.position = position;
    this.token = token;
  }
}

/** A function that expressions may call by name. */
export interface CompiledFunction {
  readonly name: string;
  readonly arity: number;
  readonly signature: Signature | undefined;
  readonly invoke: (guard: Guard, values: readonly unknown[], context: unknown) => unknown;
  /** The function for arguments of which all but the first are known, as constants in an expression are. */
  readonly prepare?: (constants: readonly unknown[]) => ((...values: never[]) => unknown) | undefined;
  /**
   * Where an expression called it last: its errors are there, even those of an outer call when an inner one came after it.
   * The reference keeps it like this, and for longer than an evaluation.
   */
  lastSite?: CallSite | undefined;
}

/** Where a call stands, for its errors. */
export interface CallSite {
  readonly position: number;
  readonly token: string | undefined;
  /** Set within the right side of `and` and `or`, which claim every error in it. */
  readonly claims?: boolean;
  /** Set where a lambda ends with the call: for the reference it has returned by then, and its errors are not the lambda's. */
  readonly inTail?: boolean;
}

export function createLambda(
  guard: Guard,
  arity: number,
  signature: string | undefined,
  run: Lambda["run"],
): Lambda {
  const lambda = ((...values: unknown[]) => applyFunction(guard, lambda, values, undefined)) as unknown as {
    -readonly [K in keyof Lambda]: Lambda[K];
  } & ((...values: unknown[]) => unknown);
  lambda.lambda = true;
  lambda.arity = arity;
  lambda.signature = signature === undefined ? undefined : signatureOf(signature);
  lambda.run = run;
  lambda.toString = objectText;
  return lambda;
}

/** A named function as a value. */
export function functionValue(guard: Guard, compiled: CompiledFunction, context: unknown): unknown {
  const value = (...values: unknown[]): unknown => applyFunction(guard, value, values, context);
  return Object.assign(value, { arity: compiled.arity, compiled, toString: objectText });
}

/** What is made of a function where the reference, to which it is an object, makes text of it. */
const objectText = (): string => "[object Object]";

/** Calls `target`, and whatever it gives as a tail call, until there is a value. */
export function applyFunction(
  guard: Guard,
  target: unknown,
  values: readonly unknown[],
  context: unknown,
): unknown {
  const callee = marksOf(target).lambda === true ? (target as Lambda) : undefined;
  return finish(guard, applyOnce(guard, target, values, context, callee), context);
}

/** Makes the calls that a result still asks for. */
export function finish(guard: Guard, given: unknown, context?: unknown): unknown {
  let result = given;
  while (result instanceof TailCall) {
    const target = result.target();
    const { lambda, compiled } = marksOf(target);
    const callee = lambda === true ? (target as Lambda) : compiled;
    const token = result.token ?? callee?.lastSite?.token;
    if (callee !== undefined) callee.lastSite = { position: result.position, token };
    result = applyOnce(guard, target, result.values(), context, callee);
  }
  return result;
}

interface Marks {
  readonly lambda?: true;
  readonly compiled?: CompiledFunction;
}

const NO_MARKS: Marks = {};

/** How `target` was made, if it is a function: data of a request that looks like one is none. */
function marksOf(target: unknown): Marks {
  return typeof target === "function" ? (target as unknown as Marks) : NO_MARKS;
}

/** `callee`: what knows where it was called, if something does. */
function applyOnce(
  guard: Guard,
  target: unknown,
  values: readonly unknown[],
  context: unknown,
  callee: { readonly lastSite?: CallSite | undefined } | undefined,
): unknown {
  try {
    const { lambda, compiled } = marksOf(target);
    guard.tick();
    if (lambda === true) {
      const { signature, run } = target as Lambda;
      return run(signature === undefined ? values : signature.validate(values, context));
    }
    if (compiled !== undefined) return invoke(guard, compiled, values, context);
    if (typeof target === "function")
      return settleForeign((target as Lambda).apply(context as never, [...values]));
    const native = target as { readonly _jsonata_function?: unknown; readonly implementation?: unknown };
    if (native?._jsonata_function === true && typeof native.implementation === "function")
      return settleForeign((native.implementation as Lambda).apply(context as never, [...values]));
    throw new ExpressionError("T1006", "what is called is not a function");
  } catch (error: unknown) {
    const isOther = lambdaEnded(error) || callee?.lastSite === undefined;
    throw isOther ? error : located(error, callee.lastSite);
  }
}

/** Errors of calls with which a lambda ended, until they leave it. */
const afterLambdas = new WeakSet<object>();

/** Whether an error that leaves a lambda came after it, in the reference's order. */
export function lambdaEnded(error: unknown): boolean {
  return typeof error === "object" && error !== null && afterLambdas.delete(error);
}

/** What a function of the host's gives. A promise cannot be waited for here. */
function settleForeign(value: unknown): unknown {
  if (typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function")
    throw new ExpressionError("D3137", "a function gave a promise: declare it async, so that it is awaited");
  return value;
}

export function invoke(
  guard: Guard,
  compiled: CompiledFunction,
  values: readonly unknown[],
  context: unknown,
): unknown {
  const { signature } = compiled;
  return compiled.invoke(
    guard,
    signature === undefined ? values : signature.validate(values, context),
    context,
  );
}

/** A call of a named function. */
export function callNamed(
  guard: Guard,
  compiled: CompiledFunction,
  values: readonly unknown[],
  context: unknown,
  site: CallSite,
): unknown {
  try {
    guard.tick();
    compiled.lastSite = site;
    return invoke(guard, compiled, values, context);
  } catch (error: unknown) {
    throw located(error, compiled.lastSite ?? site);
  }
}

/** When a name without its `$` was called, and there is such a function: what to say. */
export type MissingDollar = () =>
  | { readonly code: string; readonly position: number; readonly token: string }
  | undefined;

function explainMissing(explain: MissingDollar | undefined): void {
  const found = explain?.();
  if (found === undefined) return;
  const { code, ...place } = found;
  throw new ExpressionError(code, `${found.token} is no function: functions begin with a $`, place);
}

/** A call of any value. */
export function callValue(
  guard: Guard,
  target: unknown,
  values: readonly unknown[],
  context: unknown,
  site: CallSite,
  explain?: MissingDollar,
): unknown {
  if (target === undefined) explainMissing(explain);
  const { lambda, compiled } = marksOf(target);
  const callee = lambda === true ? (target as Lambda) : compiled;
  if (callee !== undefined) callee.lastSite = site;
  try {
    return finish(guard, applyOnce(guard, target, closed(guard, values), context, callee), context);
  } catch (error: unknown) {
    throw located(error, isLocated(error) && site.claims !== true ? { ...site, position: 0 } : site);
  }
}

/** Functions among the values of a call have no context of their own from then on. */
function closed(guard: Guard, values: readonly unknown[]): readonly unknown[] {
  if (!values.some(isFunction)) return values;
  return values.map((value) => {
    if (!isFunction(value)) return value;
    const closure = (...given: unknown[]): unknown => applyFunction(guard, value, given, null);
    return Object.assign(closure, { arity: declaredArity(value), toString: objectText });
  });
}

function isLocated(error: unknown): boolean {
  const position =
    error instanceof RangeError ? undefined : (error as { position?: unknown } | null)?.position;
  return typeof position === "number" && position !== 0;
}

/** The outermost call is where an error of a function is; its token is that of the innermost. */
export function located(error: unknown, site: CallSite): unknown {
  const { position, token, claims, inTail } = site;
  if (error instanceof RangeError)
    return error.message.includes("call stack")
      ? new ExpressionError("D1011", "the expression is nested too deeply", {
          position,
          ...(token === undefined ? {} : { token }),
        })
      : new ExpressionError("D2015", error.message, { position });
  if (typeof error !== "object" || error === null) return error;
  const failure = error as { position?: number | undefined; token?: string | undefined };
  if (position !== 0) failure.position = position;
  if (claims === true) Object.assign(failure, { position, token });
  else if (failure.token === undefined && token !== undefined) failure.token = token;
  if (inTail === true) afterLambdas.add(failure);
  return error;
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
  const arity = marksOf(target).lambda === true ? declared : Math.max(1, declared);
  const open = Array.from({ length: arity }, (_, index) => index).filter((index) => values[index] === HOLE);
  return createLambda(guard, open.length, undefined, (given) => {
    const all = Array.from({ length: arity }, (_, index) => values[index]);
    open.forEach((index, at) => (all[index] = given[at]));
    const { lambda, compiled } = marksOf(target);
    if (lambda === true) return (target as Lambda).run(all);
    if (compiled !== undefined) return compiled.invoke(guard, all, undefined);
    return applyFunction(guard, target, all, undefined);
  });
}

function declaredArity(target: unknown): number | undefined {
  if (!isFunction(target)) return undefined;
  const { arity, implementation, length } = target as {
    readonly arity?: number;
    readonly implementation?: Lambda;
    readonly length?: number;
  };
  return arity ?? implementation?.length ?? length ?? 0;
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

/** The arguments that a function of JSONata's gives its function: one, and as many more as it can take. */
export function callback(guard: Guard, target: unknown): (...values: unknown[]) => unknown {
  const arity = declaredArity(target) ?? 0;
  return (first, ...more) =>
    applyFunction(guard, target, [first, ...more.slice(0, Math.max(0, arity - 1))], null);
}

/** One of the reference's own functions that needs nothing to be waited for. */
export function referenceFunction(name: string, original = builtinOf(name)): CompiledFunction {
  const { implementation, signature } = original as ReferenceFunction;
  const call = implementation as (...values: unknown[]) => unknown;
  return {
    name,
    arity: call.length,
    signature: signature === undefined ? undefined : signatureOf(signature as { definition: string }),
    invoke: (guard, values, context) => call.apply(new Focus(guard, context), values as unknown[]),
  };
}

/** What the reference's functions find in `this`. A class, as an object with a getter is slow to make for each call. */
class Focus {
  readonly input: unknown;
  readonly #guard: Guard;

  constructor(guard: Guard, input: unknown) {
    this.#guard = guard;
    this.input = input;
  }

  get options(): { readonly sequence: number } {
    return { sequence: this.#guard.maxSequence };
  }

  /** $toMillis fills in what its picture leaves out from the time of the evaluation. */
  get environment(): { readonly timestamp: unknown } {
    // oxlint-disable-next-line no-restricted-globals -- of a given time; no clock is read
    return { timestamp: new Date(this.#guard.nowMs) };
  }

  createSequence(...items: unknown[]): Sequence {
    return createSequence(items);
  }
}
