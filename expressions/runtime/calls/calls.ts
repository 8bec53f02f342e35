// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { ExpressionError, type Token } from "../../errors/expression-error.ts";
import { isLocated, lambdaEnded, located } from "./call-errors.ts";
import type { CallSite } from "./call-sites.ts";
import {
  arityOf,
  type Callee,
  calleeOf,
  callOf,
  type CompiledFunction,
  fromHost,
  FunctionValue,
  hostOf,
  isFunctionValue,
  isLambda,
} from "./callee.ts";
import type { Guard } from "../guard.ts";
import { isFunction } from "./function-marks.ts";

/**
 * A call in tail position, made by whoever called the function, so that the stack does not grow. What it calls, and with
 * which values, is evaluated then too.
 */
export class TailCall {
  readonly target: () => unknown;
  readonly values: () => readonly unknown[];
  readonly position: number;
  readonly token: Token | undefined;

  constructor(
    target: () => unknown,
    values: () => readonly unknown[],
    position: number,
    token: Token | undefined,
  ) {
    this.target = target;
    this.values = values;
    this.position = position;
    this.token = token;
  }
}

/** Calls `target`, and whatever it gives as a tail call, until there is a value. */
export function applyFunction(
  guard: Guard,
  target: unknown,
  values: readonly unknown[],
  context: unknown,
): unknown {
  const callee = calleeOf(target);
  // This call has no place in the source, and the last call of a named function is another call.
  const site = isLambda(callee) ? callee : undefined;
  return finish(guard, applyOnce(guard, target, values, context, site), context);
}

/** Makes the calls that a result still asks for. */
export function finish(guard: Guard, given: unknown, context?: unknown): unknown {
  let result = given;
  while (result instanceof TailCall) {
    const target = result.target();
    const callee = calleeOf(target);
    const token = result.token ?? lastSiteOf(guard, callee)?.token;
    if (callee !== undefined) noteSite(guard, callee, { position: result.position, token });
    result = applyOnce(guard, target, result.values(), context, callee);
  }
  return result;
}

/** @param placed The callee whose last call is the place of an error; undefined when errors have no place yet. */
function applyOnce(
  guard: Guard,
  target: unknown,
  values: readonly unknown[],
  context: unknown,
  placed: Callee | undefined,
): unknown {
  try {
    const callee = calleeOf(target);
    guard.tick();
    if (isLambda(callee)) {
      const { signature, run } = callee;
      if (signature !== undefined) guard.given(values);
      return run(signature === undefined ? values : signature.validate(values, context));
    }
    if (callee !== undefined) return invoke(guard, callee, values, context);
    const host = isFunctionValue(target) ? hostOf(target) : target;
    if (typeof host === "function") return callHost(guard, host as HostFunction, values, context);
    if (isFunctionValue(target)) return callOf(target)(...values);
    const native = target as { readonly _jsonata_function?: unknown; readonly implementation?: unknown };
    if (native?._jsonata_function === true && typeof native.implementation === "function")
      return callHost(guard, native.implementation as HostFunction, values, context);
    throw new ExpressionError("T1006", "what is called is not a function");
  } catch (error: unknown) {
    const site = lastSiteOf(guard, placed);
    throw lambdaEnded(error) || site === undefined ? error : located(error, site);
  }
}

function lastSiteOf(guard: Guard, callee: Callee | undefined): CallSite | undefined {
  if (callee === undefined) return undefined;
  return isLambda(callee) ? callee.lastSite : guard.sites.of(callee);
}

/** A lambda is made by the evaluation that calls it, and keeps the place itself; a named function is everybody's. */
function noteSite(guard: Guard, callee: Callee, site: CallSite): void {
  if (isLambda(callee)) callee.lastSite = site;
  else guard.sites.set(callee, site);
}

type HostFunction = (...values: readonly unknown[]) => unknown;

/** Only the clock tells how much work a function of the host's was. */
function callHost(guard: Guard, host: HostFunction, values: readonly unknown[], context: unknown): unknown {
  const result: unknown = Reflect.apply(host, context, values.map(toHost));
  guard.look(true);
  return fromHost(settleForeign(result));
}

/** A function of the language as one that the host can call, or the host's own; any other value as it is. */
function toHost(value: unknown): unknown {
  if (!isFunctionValue(value)) return value;
  return hostOf(value) ?? Object.assign(callOf(value), { arity: arityOf(value) });
}

/** The result of a function of the host's. @throws {ExpressionError} D3137 for a promise: compiled code does not wait. */
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
  guard.given(values);
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
  // Noted before anything can fail: an error would report the place of another call otherwise.
  guard.sites.set(compiled, site);
  try {
    guard.tick();
    return invoke(guard, compiled, values, context);
  } catch (error: unknown) {
    throw located(error, guard.sites.of(compiled) ?? site);
  }
}

/** When a name without its `$` was called, and there is such a function: what to say. */
export type MissingDollar = () =>
  | { readonly code: string; readonly position: number; readonly token: string }
  | undefined;

/** @throws {ExpressionError} when there is something to say. */
export function explainMissing(explain: MissingDollar | undefined): void {
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
  const callee = calleeOf(target);
  if (callee !== undefined) noteSite(guard, callee, site);
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
    const arity = declaredArity(value);
    if (arity === undefined) return value;
    return new FunctionValue((...given) => applyFunction(guard, value, given, null), arity, undefined);
  });
}

/** The arguments that a function of JSONata's gives its function: one, and as many more as it can take. */
export function callback(guard: Guard, target: unknown): (...values: unknown[]) => unknown {
  const arity = declaredArity(target) ?? 0;
  return (first, ...more) =>
    applyFunction(guard, target, [first, ...more.slice(0, Math.max(0, arity - 1))], null);
}

/** The number of values that a function declares; undefined for a value that is no function. */
export function declaredArity(target: unknown): number | undefined {
  if (isFunctionValue(target)) return arityOf(target);
  if (!isFunction(target)) return undefined;
  const { arity, implementation, length } = target as {
    readonly arity?: number;
    readonly implementation?: (...values: unknown[]) => unknown;
    readonly length?: number;
  };
  return arity ?? implementation?.length ?? length ?? 0;
}
