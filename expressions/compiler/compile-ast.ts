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

/** The environment of compiled code: the host's variables and, for recorded reads, the meter of the request. */
export interface Environment extends Partial<Meter> {
  /** The value of a variable that the expression does not bind. */
  variable(name: string): unknown;
}

/** The way from the argument `given` of `run` to an environment, for callers whose argument is none. */
export interface Entry<E extends Environment, Given> {
  /** The environment when nothing is given. */
  readonly usual: E;
  environmentOf(given: Given): E | undefined;
  /** The result when there is no environment for what is given. */
  otherwise(input: unknown, given: Given): unknown;
}

export interface CompileOptions<E extends Environment, Given> {
  /** Guard of one compiler, or of one expression: evaluations that use it must not overlap. */
  readonly guard: Guard;
  readonly reads?: ReadStyle;
  readonly functions?: ReadonlyMap<string, CompiledFunction> | undefined;
  readonly bound?: ReadonlySet<string>;
  /** Default: what is given to `run` is the environment. */
  readonly entry?: Entry<E, Given>;
}

export interface CompiledCode<Given> {
  /**
   * Runs on `input`; `nowMs` is what `$now()` gives, by default the time of the first call.
   * @throws {ExpressionError}
   */
  readonly run: (input: unknown, given?: Given, nowMs?: number) => unknown;
  /** Names of functions that the code calls directly: whoever binds one of them needs the interpreter. */
  readonly resolved: ReadonlySet<string>;
}

/**
 * JavaScript for a syntax tree, or why there is none. Of the expression's own text, the code holds literals as JSON and
 * property names as JSON alone; everything else is written by the emitter.
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
    // A tree that is too deep to be walked is too deep to be compiled.
    if (error instanceof RangeError) return "it is nested too deeply";
    throw error;
  }
  const names = emitter.constants.map((_, index) => `K${index}`);
  // One function of its own for each expression, so that each is optimised for what it meets.
  const start = reads === undefined ? "G.start(nowMs)" : "G.start(nowMs,E)";
  const evaluate = `${start};const c0=Array.isArray(input)?R.outerContext(input):input;${body}`;
  const begin = entry === undefined ? "(input,E,nowMs)=>{" : BEGIN_WITH_ENTRY;
  const text = `"use strict";return ${begin}try{${evaluate}}catch(error){throw FAIL(error)}}`;
  type Run = CompiledCode<Given>["run"];
  try {
    // oxlint-disable-next-line typescript/no-implied-eval -- compiling is what this is for; see above for what is in it
    const make = new Function("R", "G", "U", "NONE", "FAIL", "ENTRY", ...names, text) as (
      ...values: unknown[]
    ) => Run;
    const run = make(OPERATIONS, guard, UNBOUND, NO_TUPLE, evaluationError, entry, ...emitter.constants);
    return { resolved: emitter.resolved, run };
  } catch (error: unknown) {
    // A host that forbids code from text, or code that nests deeper than JavaScript's parser goes.
    return error instanceof Error ? error.message : String(error);
  }
}

/** Beginning of the function that makes its environment itself: a wrapper would take as long as a short expression. */
const BEGIN_WITH_ENTRY =
  "(input,given)=>{let nowMs;const E=given===undefined?ENTRY.usual:ENTRY.environmentOf(given);" +
  "if(E===undefined)return ENTRY.otherwise(input,given);";

/** Value of a variable before it is bound. */
const UNBOUND: unique symbol = Symbol("unbound");

const NO_TUPLE: Readonly<Record<string, unknown>> = Object.freeze(Object.create(null)) as Record<
  string,
  unknown
>;
