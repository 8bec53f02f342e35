// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import jsonata from "jsonata";
import { ExpressionError } from "../errors/expression-error.ts";
import { guardInterpreter, replaceRanges } from "../interpreter/guarded-interpreter.ts";
import { evaluationError } from "../errors/failures.ts";
import { syntaxFault } from "../syntax/syntax-fault.ts";
import { GATEWAY_FUNCTIONS } from "../functions/added/functions.ts";
import { type AstNode, walk } from "../syntax/ast.ts";
import { createRegexEngine } from "../interpreter/regex-engine.ts";
import { treeOf } from "../syntax/tree-of.ts";
import { compileLiteral } from "../syntax/regex-literal.ts";
import { monotonicMs, wallMs } from "./clock.ts";
import type { Bindings } from "./bindings.ts";
import { copyOfData } from "./data-copy.ts";
import type { Limits } from "./limits.ts";

/** The jsonata package: its parser gives the syntax, its interpreter evaluates what is not compiled. */
export interface Reference {
  readonly ast: AstNode;
  /** Rejects with an ExpressionError. */
  evaluate(input: unknown, bindings: Bindings): Promise<unknown>;
}

/** @throws {ExpressionError} for what is no expression, or has a pattern that might not end. */
export function createReference(source: string, limits: Limits): Reference {
  const RegexEngine = createRegexEngine({ items: limits.sequence, weight: limits.steps });
  const options = { sequence: limits.sequence, RegexEngine, ...stackOf(limits) };
  let parsed: jsonata.Expression;
  try {
    parsed = jsonata(source, options);
  } catch (error: unknown) {
    // JavaScript's parser of regular expressions, which gives neither a code nor a place.
    if (error instanceof SyntaxError) {
      const { message, offset } = syntaxFault(error, source);
      throw new ExpressionError("D4101", message, { position: offset, cause: error });
    }
    throw evaluationError(error);
  }
  const ast = treeOf(parsed);
  refuseEndlessPatterns(ast);
  let isComplete = false;
  return {
    ast,
    async evaluate(input, bindings) {
      if (!isComplete) {
        for (const { name, implementation, signature } of GATEWAY_FUNCTIONS)
          parsed.registerFunction(name, implementation as (...values: unknown[]) => unknown, signature);
        guardInterpreter(parsed, {
          ...limits,
          nowMs: wallMs,
          monotonicMs,
        });
        replaceRanges(ast);
        isComplete = true;
      }
      try {
        return await parsed.evaluate(copyOfData(input), copyOfData(bindings));
      } catch (error: unknown) {
        throw evaluationError(error);
      }
    },
  };
}

function stackOf({ depth }: Limits): { readonly stack?: number } {
  return depth === undefined ? {} : { stack: depth };
}

function refuseEndlessPatterns(ast: AstNode): void {
  walk(ast, (node) => {
    if (node.type !== "regex" || !(node.value instanceof RegExp)) return;
    const compiled = compileLiteral(node.value);
    if (compiled.ok) return;
    throw new ExpressionError("D4101", `the regular expression cannot be used: ${compiled.message}`, {
      token: String(node.value),
      ...(node.position === undefined ? {} : { position: node.position }),
    });
  });
}
