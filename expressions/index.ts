// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import jsonata from "jsonata";
import type { AttributeManifest } from "../core/attributes/manifest.ts";
import { compileAst, type Environment } from "../core/expressions/compiler/compile-ast.ts";
import type { StaticReferences } from "../core/expressions/expression.ts";
import { evaluationError } from "../core/expressions/failures.ts";
import type { AstNode } from "../core/expressions/jsonata-ast.ts";
import { staticReferences } from "../core/expressions/references.ts";

export { ExpressionError } from "../core/expressions/expression.ts";

type Bindings = Readonly<Record<string, unknown>>;

export interface ExpressionOptions {
  readonly manifest?: AttributeManifest;
  /** Variables and functions by name, without the `$`, for every evaluation. */
  readonly bindings?: Bindings;
  readonly limits?: {
    readonly depth?: number;
    readonly steps?: number;
    readonly sequence?: number;
    readonly timeMs?: number;
  };
}

export interface CompiledExpression {
  /** A value when `engine` is "compiled", a promise of one when it is "interpreted". */
  evaluate(input: unknown, bindings?: Bindings): unknown;
  readonly engine: "compiled" | "interpreted";
  /** Why it is interpreted. */
  readonly reason?: string;
  readonly references: StaticReferences;
  readonly cacheable: boolean;
  readonly diagnostics: readonly unknown[];
}

/** Compiles a JSONata expression. @throws an error with JSONata's `code`, `position` and `token`. */
export function compile(source: string, options: ExpressionOptions = {}): CompiledExpression {
  const { depth, sequence, timeMs, steps } = options.limits ?? {};
  const bindings = options.bindings ?? {};
  const parsed = parse(source, { stack: depth, sequence, timeout: timeMs });
  const ast = parsed.ast() as unknown as AstNode;
  const interpret = (input: unknown, given?: Bindings): Promise<unknown> =>
    parsed.evaluate(input, { ...bindings, ...given }).catch((error: unknown) => {
      throw evaluationError(error);
    });
  const compiled = Object.values(bindings).some(isAsync)
    ? "a function that is bound is async"
    : compileAst<Variables>(ast, {
        limits: { depth, sequence, timeMs, steps, nowMs: Date.now, monotonicMs: () => performance.now() },
        bound: new Set(Object.keys(bindings)),
      });
  const common = {
    references: staticReferences(ast, source),
    cacheable: true,
    diagnostics: [],
  };
  if (typeof compiled === "string")
    return { ...common, engine: "interpreted", reason: compiled, evaluate: interpret };
  const { run, resolved } = compiled;
  const fixed = new Variables(bindings, {});
  return {
    ...common,
    engine: "compiled",
    evaluate(input, given) {
      if (given !== undefined)
        for (const name of Object.keys(given)) {
          if (resolved.has(name) || isAsync(given[name])) return interpret(input, given);
        }
      try {
        return run(input, given === undefined ? fixed : new Variables(bindings, given));
      } catch (error: unknown) {
        throw evaluationError(error);
      }
    },
  };
}

class Variables implements Environment {
  readonly #fixed: Bindings;
  readonly #given: Bindings;

  constructor(fixed: Bindings, given: Bindings) {
    this.#fixed = fixed;
    this.#given = given;
  }

  variable(name: string): unknown {
    if (Object.hasOwn(this.#given, name)) return this.#given[name];
    return Object.hasOwn(this.#fixed, name) ? this.#fixed[name] : undefined;
  }
}

function isAsync(value: unknown): boolean {
  return typeof value === "function" && Object.prototype.toString.call(value) === "[object AsyncFunction]";
}

function parse(source: string, options: Record<string, number | undefined>): jsonata.Expression {
  try {
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
    return jsonata(source, given);
  } catch (error: unknown) {
    throw evaluationError(error);
  }
}
