// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import jsonata from "jsonata";
import type { AttributeBag } from "../attributes/bag.ts";
import { createRecorder, isView } from "../attributes/recorder.ts";
import { boundedBuiltins, clockBuiltins, RANGE_FUNCTION } from "./bounded-builtins.ts";
import { findFault, isBounded, mentionedVariables } from "./checks.ts";
import { type DirectEvaluation, directEvaluation } from "./direct-evaluation.ts";
import type {
  CompileExpression,
  EvaluationContext,
  Expression,
  ExpressionError,
  ExpressionFault,
} from "./expression.ts";
import { evaluationError, OUT_OF_TIME, syntaxFault } from "./failures.ts";
import { type AstNode, walk } from "./jsonata-ast.ts";
import { DEFAULT_EXPRESSION_LIMITS, type ExpressionLimits, Scales } from "./limits.ts";
import { plainValue } from "./plain-value.ts";
import { staticReferences } from "./references.ts";
import { createRegexEngine } from "./regex-engine.ts";

/**
 * Each of them copies its left side in the parser, so that nesting them doubles the tree: 16 make it a few megabytes.
 */
const DEFAULTING_OPERATORS = 16;
/** Longest source, in UTF-16 units; nothing that people write comes near. */
const SOURCE_LENGTH = 65_536;

/** What an expression's value depends on besides the bag. */
const VARYING_FUNCTIONS = ["now", "millis", "random", "shuffle"];

/**
 * A compiler of expressions for the jsonata package's interpreter. What it gives evaluates within `limits`, sees the
 * time of its context alone, and returns plain values. Plain paths and literals do without the interpreter.
 */
export function createJsonataCompiler(limits: Partial<ExpressionLimits> = {}): CompileExpression {
  const settings: ExpressionLimits = { ...DEFAULT_EXPRESSION_LIMITS, ...limits };
  const builtins = boundedBuiltins(settings);
  const RegexEngine = createRegexEngine(settings);
  return (source) => {
    const tooBig = refuseUnparsed(source);
    if (tooBig !== undefined) return { ok: false, fault: tooBig };
    const options = { stack: settings.depth, sequence: settings.items, RegexEngine, timeout: 0 };
    let parsed: jsonata.Expression;
    try {
      parsed = jsonata(source, options);
    } catch (error: unknown) {
      return { ok: false, fault: syntaxFault(error, source) };
    }
    const ast = parsed.ast() as unknown as AstNode;
    const fault = findFault(ast, source);
    if (fault !== undefined) return { ok: false, fault };
    const mentioned = mentionedVariables(ast);
    const references = staticReferences(ast, source);
    const direct = directEvaluation(ast);
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
    const interpreted = interpret(parsed, source, {
      tellsTime: mentioned.has("now") || mentioned.has("millis"),
      // JSONata writes to what it groups or tries to call, which a bounded expression does neither of.
      writes: !bounded,
    });
    const expression: Expression = {
      source,
      engine: direct === undefined ? "interpreted" : "compiled",
      references,
      cacheable: !VARYING_FUNCTIONS.some((name) => mentioned.has(name)),
      evaluate: direct === undefined ? interpreted : withDirect(direct, interpreted),
    };
    return { ok: true, expression };
  };
}

/** With the default limits. */
export const compileWithJsonata: CompileExpression = createJsonataCompiler();

function refuseUnparsed(source: string): ExpressionFault | undefined {
  if (source.length > SOURCE_LENGTH)
    return syntaxLimit(`the expression is longer than ${SOURCE_LENGTH} characters`, SOURCE_LENGTH);
  const defaulting = [...source.matchAll(/\?\?|\?:(?!\/)/g)][DEFAULTING_OPERATORS];
  if (defaulting !== undefined)
    return syntaxLimit(`the expression has more than ${DEFAULTING_OPERATORS} of ?? and ?:`, defaulting.index);
  return undefined;
}

function syntaxLimit(message: string, offset: number): ExpressionFault {
  return { code: "PURSER_EXPR_SYNTAX", message, offset };
}

type Evaluate = Expression["evaluate"];

function withDirect(direct: DirectEvaluation, interpreted: Evaluate): Evaluate {
  return (bag, context) => {
    const result = direct(bag);
    return result.done ? result.value : interpreted(bag, context);
  };
}

function interpret(
  parsed: jsonata.Expression,
  source: string,
  { tellsTime, writes }: { readonly tellsTime: boolean; readonly writes: boolean },
): Evaluate {
  const evaluateOnce = async (bag: AttributeBag, { nowMs }: EvaluationContext): Promise<unknown> => {
    try {
      const input = writes && !isView(bag) ? createRecorder(bag).view : bag;
      return plainValue(await parsed.evaluate(input, tellsTime ? clockBuiltins(nowMs) : undefined));
    } catch (error: unknown) {
      throw evaluationError(error, source);
    }
  };
  return (bag, context) =>
    evaluateOnce(bag, context).catch((error: ExpressionError) => {
      // JSONata measures time on the wall: it may have been the process that paused. A runaway runs away again.
      if (error.jsonataCode === OUT_OF_TIME) return evaluateOnce(bag, context);
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
