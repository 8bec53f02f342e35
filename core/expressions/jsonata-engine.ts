// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import jsonata from "jsonata";
import { Reads } from "../../expressions/runtime/reads/reads.ts";
import {
  type Builtin,
  boundedBuiltins,
  checkPicture,
  clockBuiltins,
} from "../../expressions/interpreter/bounded-builtins.ts";
import { findFault, mentionedVariables } from "../../expressions/analysis/checks.ts";
import { VARYING } from "../../expressions/checker/function-types.ts";
import { compileAst } from "../../expressions/compiler/compile-ast.ts";
import { RECORDED_READS } from "../../expressions/compiler/recorded-reads.ts";
import type { CompileExpression, Expression } from "./expression.ts";
import { evaluationError } from "../../expressions/errors/failures.ts";
import { syntaxFault } from "../../expressions/syntax/syntax-fault.ts";
import { DEFAULT_EXPRESSION_LIMITS, type ExpressionLimits } from "../../expressions/interpreter/limits.ts";
import { guardInterpreter, METER, replaceRanges } from "../../expressions/interpreter/guarded-interpreter.ts";
import { plainValue } from "../../expressions/runtime/plain-value.ts";
import { staticReferences } from "../../expressions/analysis/references.ts";
import { COMPILED_FUNCTIONS } from "../../expressions/functions/table.ts";
import type { CompiledFunction } from "../../expressions/runtime/callee.ts";
import { Guard, type GuardLimits } from "../../expressions/runtime/guard.ts";
import { referenceFunction } from "../../expressions/functions/reference-call.ts";
import { createRegexEngine } from "../../expressions/interpreter/regex-engine.ts";
import { DOCUMENT_SOURCE_LIMITS, faultOfSize } from "../../expressions/syntax/source-limits.ts";
import { treeOf } from "../../expressions/syntax/tree-of.ts";

/**
 * A compiler of expressions for the jsonata package's interpreter. What it gives evaluates within `limits`, sees the
 * time of its context alone, and returns plain values. Plain paths and literals do without the interpreter.
 */
export function createJsonataCompiler(
  limits: Partial<ExpressionLimits> = {},
  monotonicMs?: () => number,
): CompileExpression {
  const settings: ExpressionLimits = { ...DEFAULT_EXPRESSION_LIMITS, ...limits };
  const builtins = boundedBuiltins(settings);
  const RegexEngine = createRegexEngine(settings);
  const functions = boundedFunctions(builtins);
  // All of them share one: evaluations of compiled expressions do not overlap.
  const guard = new Guard(guardLimits(settings, monotonicMs));
  const compileSource: CompileExpression = (source) => {
    const tooBig = faultOfSize(source, DOCUMENT_SOURCE_LIMITS);
    if (tooBig !== undefined) return { ok: false, fault: tooBig };
    const options = { stack: settings.depth, sequence: settings.items, RegexEngine, timeout: 0 };
    let parsed: jsonata.Expression;
    try {
      parsed = jsonata(source, options);
    } catch (error: unknown) {
      return { ok: false, fault: syntaxFault(error, source) };
    }
    const ast = treeOf(parsed);
    const fault = findFault(ast, source);
    if (fault !== undefined) return { ok: false, fault };
    const mentioned = mentionedVariables(ast);
    const references = staticReferences(ast, source);
    const common = {
      source,
      references,
      cacheable: ![...VARYING].some((name) => mentioned.has(name)),
    };
    const compiled = compileAst<Reads>(ast, {
      guard,
      reads: RECORDED_READS,
      functions,
    });
    if (typeof compiled !== "string") {
      const { run } = compiled;
      const evaluate: Evaluate = (bag, { nowMs, reads: given }) => {
        try {
          const value = run(bag, given ?? new Reads(bag), nowMs);
          return typeof value === "object" && value !== null
            ? plainValue(value, settings.weight, guard)
            : plainScalar(value);
        } catch (error: unknown) {
          throw evaluationError(error);
        }
      };
      return { ok: true, expression: { ...common, ast, engine: "compiled", evaluate } };
    }
    guardInterpreter(parsed, guardLimits(settings, monotonicMs), functions);
    replaceRanges(ast);
    const evaluate = interpret(parsed, mentioned.has("now") || mentioned.has("millis"), settings);
    const expression: Expression = { ...common, engine: "interpreted", evaluate };
    return { ok: true, expression };
  };
  return (source) => {
    try {
      return compileSource(source);
    } catch (error: unknown) {
      // A tree that is deeper than JavaScript's stack.
      if (error instanceof RangeError) return { ok: false, fault: syntaxFault(error, source) };
      throw error;
    }
  };
}

function guardLimits(
  settings: ExpressionLimits,
  monotonicMs: (() => number) | undefined,
): GuardLimits & { readonly sequence: number; readonly weight: number } {
  const { depth, steps, items, weight, timeoutMs } = settings;
  return { depth, steps, sequence: items, weight, timeMs: timeoutMs, nowMs: () => 0, monotonicMs };
}

/** With the default limits. */
export const compileWithJsonata: CompileExpression = createJsonataCompiler();

type Evaluate = Expression["evaluate"];

function boundedNow(): CompiledFunction {
  const now = COMPILED_FUNCTIONS.get("now") as CompiledFunction;
  return {
    ...now,
    invoke(guard, values, context) {
      checkPicture(values[0]);
      return now.invoke(guard, values, context);
    },
  };
}

/** A function is no value. */
function plainScalar(value: unknown): unknown {
  return typeof value === "function" ? undefined : value;
}

/** Functions that are bounded by what they are given, for compiled expressions; those that call others bound themselves. */
function boundedFunctions(builtins: ReadonlyMap<string, Builtin>): ReadonlyMap<string, CompiledFunction> {
  const names = ["formatNumber", "formatInteger", "parseInteger", "fromMillis", "toMillis"];
  return new Map([
    ...names.map((name) => [name, referenceFunction(name, builtins.get(name))] as const),
    ["now", boundedNow()] as const,
  ]);
}

function interpret(parsed: jsonata.Expression, tellsTime: boolean, { weight }: ExpressionLimits): Evaluate {
  return async (bag, { nowMs, reads: given }) => {
    const reads = given ?? new Reads(bag);
    try {
      const bindings = { ...(tellsTime ? clockBuiltins(nowMs) : {}), [METER]: reads };
      return plainValue(await parsed.evaluate(reads.view, bindings), weight);
    } catch (error: unknown) {
      throw evaluationError(error);
    }
  };
}
