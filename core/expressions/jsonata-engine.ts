// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import jsonata from "jsonata";
import type { AttributeBag } from "../attributes/bag.ts";
import { Reads } from "../attributes/reads.ts";
import { createRecorder, isView } from "../attributes/recorder.ts";
import {
  type Builtin,
  boundedBuiltins,
  checkPicture,
  clockBuiltins,
  RANGE_FUNCTION,
} from "./bounded-builtins.ts";
import { findFault, isBounded, mentionedVariables } from "./checks.ts";
import { VARYING } from "./checker/function-types.ts";
import { compileAst } from "./compiler/compile-ast.ts";
import { RECORDED_READS } from "./compiler/recorded-reads.ts";
import type { CompileExpression, EvaluationContext, Expression, ExpressionError } from "./expression.ts";
import { evaluationError, OUT_OF_TIME, syntaxFault } from "./failures.ts";
import { type AstNode, walk } from "./jsonata-ast.ts";
import { DEFAULT_EXPRESSION_LIMITS, type ExpressionLimits, Scales } from "./limits.ts";
import { plainValue } from "./plain-value.ts";
import { staticReferences } from "./references.ts";
import { COMPILED_FUNCTIONS } from "./functions/table.ts";
import type { CompiledFunction } from "./runtime/callee.ts";
import { Guard, type GuardLimits } from "./runtime/guard.ts";
import { referenceFunction } from "./runtime/reference-function.ts";
import { createRegexEngine } from "./regex-engine.ts";
import { DOCUMENT_SOURCE_LIMITS, faultOfSize } from "./source-limits.ts";
import { treeOf } from "./tree-of.ts";

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
    const bounded = isBounded(ast);
    if (!bounded) {
      options.timeout = settings.timeoutMs;
      weighResults(parsed, settings);
    }
    replaceRanges(ast);
    for (const name of mentioned) {
      const builtin = builtins.get(name);
      if (builtin !== undefined) parsed.assign(name, builtin);
    }
    const evaluate = interpret(parsed, {
      tellsTime: mentioned.has("now") || mentioned.has("millis"),
      // JSONata writes to what it groups or tries to call, which a bounded expression does neither of.
      writes: !bounded,
    });
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

function guardLimits(settings: ExpressionLimits, monotonicMs: (() => number) | undefined): GuardLimits {
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

function interpret(
  parsed: jsonata.Expression,
  { tellsTime, writes }: { readonly tellsTime: boolean; readonly writes: boolean },
): Evaluate {
  const evaluateOnce = async (bag: AttributeBag, { nowMs, reads }: EvaluationContext): Promise<unknown> => {
    try {
      const recorded = reads?.view ?? bag;
      const input = writes && !isView(recorded) ? createRecorder(recorded).view : recorded;
      return plainValue(await parsed.evaluate(input, tellsTime ? clockBuiltins(nowMs) : undefined));
    } catch (error: unknown) {
      throw evaluationError(error);
    }
  };
  return (bag, context) =>
    evaluateOnce(bag, context).catch((error: ExpressionError) => {
      // JSONata measures time on the wall: it may have been the process that paused. A runaway runs away again.
      if (error.code === OUT_OF_TIME) return evaluateOnce(bag, context);
      throw error;
    });
}

/** Weighs every intermediate value, the last one too. */
function weighResults(parsed: jsonata.Expression, { weight }: ExpressionLimits): void {
  const scales = new Scales(weight);
  const onExit = Symbol.for("jsonata.__evaluate_exit") as unknown as string;
  parsed.assign(onExit, (_node: unknown, _input: unknown, _frame: unknown, result: unknown) =>
    scales.check(result),
  );
}

/** Makes every `..` a call of the bounded range: JSONata has no other way to replace an operator. */
function replaceRanges(ast: AstNode): void {
  walk(ast, (node) => {
    if (node.type !== "binary" || node.value !== "..") return;
    node.arguments = [node.lhs as AstNode, node.rhs as AstNode];
    node.procedure = { type: "variable", value: RANGE_FUNCTION };
    node.type = "function";
  });
}
