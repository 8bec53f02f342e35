// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag } from "../attributes/bag.ts";
import { type EvaluationContext, type Expression } from "../expressions/expression.ts";
import { ExpressionError } from "../../expressions/errors/expression-error.ts";
import { OUT_OF_TIME } from "../../expressions/errors/failures.ts";
import type { ErrorCode } from "../../kernel/error-catalog.ts";
import { isPurserError, messageOf } from "../../kernel/errors.ts";
import { chain, isPromise, type MaybePromise, reduceInOrder } from "../../kernel/maybe-promise.ts";
import type { Computed, ComputedMap } from "../snapshot/snapshot.ts";

/** State that the expressions of one request share. */
export interface Scope {
  /** The bag that the expressions read. */
  readonly bag: AttributeBag;
  readonly context: EvaluationContext;
  /** Set to false when an expression is evaluated whose value depends on more than the bag. */
  cacheable: boolean;
}

/**
 * Reason that a document could not be evaluated: a value, not an exception, because the document's onError
 * decides its effect. A class, so that no expression's value can be mistaken for one.
 */
export class Fault {
  readonly code: ErrorCode;
  /** The cause in one sentence, for logs. */
  readonly detail: string;
  /** Whether the same bag would fail in the same way; only then may the outcome be cached. */
  readonly repeatable: boolean;

  constructor(code: ErrorCode, detail: string, repeatable: boolean) {
    this.code = code;
    this.detail = detail;
    this.repeatable = repeatable;
  }
}

/** Calls `next` unless there was a fault, which is returned. */
export function andThen<T, U>(
  value: MaybePromise<T | Fault>,
  next: (value: T) => MaybePromise<U | Fault>,
): MaybePromise<U | Fault> {
  return chain(value, (given) => (given instanceof Fault ? given : next(given)));
}

function faultOfExpression(error: unknown): Fault {
  if (error instanceof ExpressionError) {
    const detail = `${error.code}: ${error.message}`;
    return new Fault("PURSER_EXPR_EVALUATION", detail, error.code !== OUT_OF_TIME);
  }
  return new Fault("PURSER_EXPR_EVALUATION", messageOf(error), false);
}

export function faultOfHandler(error: unknown): Fault {
  const code = isPurserError(error) ? error.code : "PURSER_HANDLER_FAILED";
  return new Fault(code, messageOf(error), false);
}

/** The expression's value, undefined when it has none, or the fault. Never throws, never rejects. */
export function evaluate(expression: Expression, scope: Scope): MaybePromise<unknown> {
  if (!expression.cacheable) scope.cacheable = false;
  try {
    const value = expression.evaluate(scope.bag, scope.context);
    return isPromise(value) ? value.catch(faultOfExpression) : value;
  } catch (error) {
    return faultOfExpression(error);
  }
}

export function evaluateComputed(computed: Computed, scope: Scope): MaybePromise<unknown> {
  return computed.kind === "literal" ? computed.value : evaluate(computed.expression, scope);
}

/** The values of all entries in order, absent ones as undefined; or the first fault. */
export function evaluateMap(
  map: ComputedMap,
  scope: Scope,
): MaybePromise<readonly (readonly [key: string, value: unknown])[] | Fault> {
  const entries: (readonly [string, unknown])[] = [];
  return reduceInOrder(map, entries as typeof entries | Fault, (found, [key, computed]) =>
    andThen(found, () =>
      andThen(evaluateComputed(computed, scope), (value) => {
        entries.push([key, value]);
        return entries;
      }),
    ),
  );
}

/**
 * A condition: true when absent, false without a value, a fault for a value that is not boolean. JSONata's
 * casting ("false" is true) is too lenient for policies.
 */
export function evaluateCondition(
  expression: Expression | undefined,
  scope: Scope,
): MaybePromise<boolean | Fault> {
  return expression === undefined ? true : chain(evaluate(expression, scope), toCondition);
}

function toCondition(value: unknown): boolean | Fault {
  if (typeof value === "boolean") return value;
  if (value === undefined) return false;
  if (value instanceof Fault) return value;
  return new Fault(
    "PURSER_EXPR_EVALUATION",
    `gave ${describeType(value)} where true or false is needed`,
    true,
  );
}

/** A text for people: the expression's value, or `fallback` when it has none or fails. */
export function evaluateMessage(
  expression: Expression | undefined,
  fallback: string,
  scope: Scope,
): MaybePromise<string> {
  if (expression === undefined) return fallback;
  return chain(evaluate(expression, scope), (value) =>
    value === undefined || value instanceof Fault ? fallback : textOf(value),
  );
}

/** Any value as text: text unchanged, other values as JSON. */
export function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  // V8 keeps the texts of small whole numbers, such as status codes: a tenth of JSON.stringify's time.
  if (typeof value === "number" && Number.isFinite(value)) return String(value);
  return JSON.stringify(value) ?? "";
}

/** `a string`, `an array` …, for messages. */
export function describeType(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
