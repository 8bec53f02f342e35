// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { evaluationError } from "../errors/failures.ts";
import type { AstNode } from "../syntax/ast.ts";
import type { CompiledFunction } from "../runtime/calls/callee.ts";
import type { Guard } from "../runtime/guard.ts";
import type { Meter } from "../runtime/reads/meter.ts";
import { OPERATIONS } from "./operations.ts";
import { NODE_EMITTERS } from "./emit/emit-node.ts";
import { Emitter, type ReadStyle } from "./emitter.ts";
import { NotCompiled } from "./place.ts";

/**
 * The environment of compiled code: the host's variables and, for recorded reads, the meter of the request.
 */
export interface Environment extends Partial<Meter> {
  /** The value of a variable that the expression does not bind itself. */
  variable(name: string): unknown;
}

/** Conversion of the argument `given` of `run` to an environment, for callers that pass another type. */
export interface Entry<E extends Environment, Given> {
  /** The environment when `given` is undefined. */
  readonly usual: E;
  environmentOf(given: Given): E | undefined;
  /** The result when `given` has no environment. */
  otherwise(input: unknown, given: Given): unknown;
}

export interface CompileOptions<E extends Environment, Given> {
  /** Guard of one compiler, or of one expression: evaluations that share a guard must not overlap. */
  readonly guard: Guard;
  readonly reads?: ReadStyle;
  readonly functions?: ReadonlyMap<string, CompiledFunction> | undefined;
  readonly bound?: ReadonlySet<string>;
  /** Default: the argument `given` of `run` is the environment. */
  readonly entry?: Entry<E, Given>;
}

export interface CompiledCode<Given> {
  /**
   * Runs on `input`; `nowMs` is what `$now()` gives, by default the time of the first call.
   * @throws {ExpressionError}
   */
  readonly run: (input: unknown, given?: Given, nowMs?: number) => unknown;
  /**
   * Functions that the code calls directly, by name: a caller that binds one of these names needs the
   * interpreter.
   */
  readonly resolved: ReadonlySet<string>;
}

/**
 * Compiles a syntax tree to JavaScript (code generation), or returns the reason why it cannot be compiled. Of
 * the expression's own text, the code holds only literals and property names, both as JSON; the emitter
 * writes everything else.
 */
export function compileAst<E extends Environment, Given = E>(
  ast: AstNode,
  { guard, reads, functions = new Map(), bound = new Set(), entry }: CompileOptions<E, Given>,
): CompiledCode<Given> | string {
  const emitter = new Emitter({ reads, functions, bound }, NODE_EMITTERS);
  let body: string;
  try {
    body = emitter.program(ast);
  } catch (error: unknown) {
    if (error instanceof NotCompiled) return error.message;
    // A tree that is too deep to walk recursively is too deep to compile.
    if (error instanceof RangeError) return "it is nested too deeply";
    throw error;
  }
  const names = emitter.constants.map((_, index) => `K${index}`);
  // Each expression is a function of its own, so that V8 optimises it for the values of that expression.
  const start = reads === undefined ? "G.start(nowMs)" : "G.start(nowMs,E)";
  const evaluate = `${start};const c0=Array.isArray(input)?R.outerContext(input):input;${body}`;
  const begin = entry === undefined ? "(input,E,nowMs)=>{" : BEGIN_WITH_ENTRY;
  const text = `"use strict";return ${begin}try{${evaluate}}catch(error){throw FAIL(error)}}`;
  type Run = CompiledCode<Given>["run"];
  try {
    // oxlint-disable-next-line typescript/no-implied-eval -- code generation, of the text listed above
    const make = new Function("R", "G", "U", "NONE", "FAIL", "ENTRY", ...names, text) as (
      ...values: unknown[]
    ) => Run;
    const run = make(OPERATIONS, guard, UNBOUND, NO_TUPLE, evaluationError, entry, ...emitter.constants);
    return { resolved: emitter.resolved, run };
  } catch (error: unknown) {
    // A host forbids code from text (CSP), or the code nests deeper than JavaScript's parser allows.
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * The head of a function that makes its own environment: calling a wrapper would take as long as evaluating a
 * short expression.
 */
const BEGIN_WITH_ENTRY =
  "(input,given)=>{let nowMs;const E=given===undefined?ENTRY.usual:ENTRY.environmentOf(given);" +
  "if(E===undefined)return ENTRY.otherwise(input,given);";

/** Value of a variable before it is bound. */
const UNBOUND: unique symbol = Symbol("unbound");

const NO_TUPLE: Readonly<Record<string, unknown>> = Object.freeze(Object.create(null)) as Record<
  string,
  unknown
>;
