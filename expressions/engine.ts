// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { mentionedVariables } from "./analysis/checks.ts";
import { type KeyTest, keyTestsOf } from "./analysis/key-tests.ts";
import type { ParsedSource } from "./analysis/parsed-source.ts";
import { staticReferences } from "./analysis/references.ts";
import { type CompiledCode, compileAst, type Entry, type Environment } from "./compiler/compile-ast.ts";
import { recordedReads } from "./compiler/recorded-reads.ts";
import type { DataObject } from "./data.ts";
import type { ExpressionFault } from "./errors/expression-error.ts";
import { evaluationError } from "./errors/failures.ts";
import { RESTRICTED_FUNCTIONS } from "./functions/compiled-functions.ts";
import { isConstantFor } from "./functions/function-facts.ts";
import {
  createInterpreter,
  type Interpret,
  type InterpreterSettings,
  type ParsedTree,
  parseTree,
} from "./interpreter/interpreter.ts";
import type { Limits } from "./limits.ts";
import { Guard } from "./runtime/guard.ts";
import { plainValue } from "./runtime/plain-value.ts";
import { PathTable } from "./runtime/reads/path-read.ts";
import type { Reads } from "./runtime/reads/reads.ts";
import type { AstNode } from "./syntax/ast.ts";
import { faultOfSize, type SourceLimits } from "./syntax/source-limits.ts";
import { syntaxFault } from "./syntax/syntax-fault.ts";
import { createTracer, type Tracer } from "./tracing/traced-expression.ts";

/** Callbacks that make a caller's own reason why a source has no program. */
export interface Refusals<Fault> {
  /** The reason for a source that exceeds the source limits. */
  ofSize(fault: ExpressionFault): Fault;
  /**
   * The reason for a source that does not parse.
   * @param thrown The parser's error, or a RangeError for a tree that is deeper than JavaScript's stack.
   * @param fault Makes an ExpressionFault of `thrown`, with its offset.
   */
  ofSyntax(thrown: unknown, fault: () => ExpressionFault): Fault;
  /** The reason to refuse a source that parses; undefined to accept it. */
  ofMeaning(ast: AstNode, source: string): Fault | undefined;
}

export interface EngineSettings<Fault> {
  readonly limits: Limits;
  readonly sourceLimits: Partial<SourceLimits>;
  /** Milliseconds since the epoch, for an evaluation without a `nowMs` of its own. */
  readonly nowMs: () => number;
  /** Milliseconds of a monotonic clock; without it `limits.timeMs` is not enforced. */
  readonly monotonicMs?: (() => number) | undefined;
  readonly refusals: Refusals<Fault>;
  /** Whether functions are restricted to the forms that documents may use; default false. */
  readonly restricted?: boolean;
}

/** A compiled or interpreted expression. */
export interface Program extends Required<ParsedSource> {
  /** False when the value depends on more than the input: $now, $millis, $random, $shuffle. */
  readonly cacheable: boolean;
  /** Evaluation for requests: records its reads, and gives plain JSON that shares nothing with the bag. */
  recorded(): RecordedProgram;
  /**
   * Code that reads host data directly, without recording; or the reason why the expression is interpreted.
   * @param bound Names that the host binds for every evaluation.
   */
  direct<E extends Environment, Given>(
    bound: ReadonlySet<string>,
    entry: Entry<E, Given>,
  ): CompiledCode<Given> | string;
  /** Evaluation by the interpreter, which may write to the input. The first call changes `ast`. */
  readonly interpret: Interpret;
}

export interface RecordedProgram {
  readonly engine: "compiled" | "interpreted";
  /**
   * Returns a value when the engine is "compiled", a promise of a value when it is "interpreted".
   * @throws {ExpressionError} (or rejects with it)
   */
  readonly evaluate: (data: DataObject, reads: Reads, nowMs: number) => unknown;
  /** Tests that are necessary for the value to be true; none for an interpreted program. */
  readonly keyTests: () => readonly KeyTest[];
}

export type EngineResult<Fault> =
  | { readonly ok: true; readonly program: Program }
  | { readonly ok: false; readonly fault: Fault };

export interface Engine<Fault> {
  /**
   * Parses a source. Refused are a source that exceeds the source limits or does not parse, and a source that
   * `refusals` refuses.
   */
  parse(source: string): EngineResult<Fault>;
  /** A tracer of this engine's expressions, with the same interpreter, functions and limits. */
  tracer(): Tracer;
}

/** The language engine: compiles sources to JavaScript, and interprets those that cannot be compiled. */
export function createEngine<Fault>(settings: EngineSettings<Fault>): Engine<Fault> {
  const { limits, sourceLimits, refusals, nowMs, monotonicMs } = settings;
  const interpreter: InterpreterSettings = {
    limits,
    nowMs,
    monotonicMs,
    functions: settings.restricted === true ? RESTRICTED_FUNCTIONS : undefined,
  };
  const programs = new ProgramMaker(interpreter);
  return {
    parse(source) {
      const tooBig = faultOfSize(source, sourceLimits);
      if (tooBig !== undefined) return { ok: false, fault: refusals.ofSize(tooBig) };
      try {
        const tree = parseTree(source, limits);
        const fault = refusals.ofMeaning(tree.ast, source);
        return fault === undefined
          ? { ok: true, program: programs.make(source, tree) }
          : { ok: false, fault };
      } catch (error: unknown) {
        return { ok: false, fault: refusals.ofSyntax(error, () => syntaxFault(error, source)) };
      }
    },
    tracer: () => createTracer(interpreter),
  };
}

/** Makes programs that share the engine's settings, its path table and the guard of recorded evaluations. */
class ProgramMaker {
  readonly #settings: InterpreterSettings;
  readonly #paths = new PathTable();
  /** One guard for all recorded evaluations: these call no host function, and so do not overlap. */
  readonly #guard: Guard;

  constructor(settings: InterpreterSettings) {
    this.#settings = settings;
    this.#guard = this.#newGuard();
  }

  make(source: string, tree: ParsedTree): Program {
    const { ast } = tree;
    const mentioned = mentionedVariables(ast);
    // Created lazily, because making the interpreter changes the tree.
    let made: Interpret | undefined;
    const interpret: Interpret = (input, evaluation) => {
      made ??= createInterpreter(tree, this.#settings);
      return made(input, evaluation);
    };
    return {
      source,
      ast,
      references: staticReferences(ast, source),
      cacheable: isConstantFor(mentioned),
      interpret,
      recorded: () => this.#recorded(ast, interpret),
      // A guard of its own: a host function may evaluate another expression during this evaluation.
      direct: (bound, entry) =>
        compileAst(ast, { guard: this.#newGuard(), bound, entry, functions: this.#settings.functions }),
    };
  }

  #newGuard(): Guard {
    const { limits, nowMs, monotonicMs } = this.#settings;
    return new Guard({ ...limits, nowMs, monotonicMs });
  }

  #recorded(ast: AstNode, interpret: Interpret): RecordedProgram {
    const { functions, limits } = this.#settings;
    const guard = this.#guard;
    const compiled = compileAst<Reads>(ast, {
      guard,
      reads: recordedReads(this.#paths),
      functions,
    });
    if (typeof compiled === "string")
      return {
        engine: "interpreted",
        keyTests: () => [],
        evaluate: async (_data, reads, nowMs) => {
          try {
            return plainValue(await interpret(reads.view, { nowMs, meter: reads }), limits.weight);
          } catch (error: unknown) {
            throw evaluationError(error);
          }
        },
      };
    const { run } = compiled;
    return {
      engine: "compiled",
      keyTests: () => keyTestsOf(ast, this.#paths),
      evaluate(data, reads, nowMs) {
        try {
          const value = run(data, reads, nowMs);
          if (typeof value === "object" && value !== null) return plainValue(value, limits.weight, guard);
          // A function is not a value for a caller.
          return typeof value === "function" ? undefined : value;
        } catch (error: unknown) {
          throw evaluationError(error);
        }
      },
    };
  }
}
