// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Refusals } from "../engine.ts";
import { ExpressionError } from "../errors/expression-error.ts";
import { evaluationError } from "../errors/failures.ts";
import { type AstNode, walk } from "../syntax/ast.ts";
import { compileLiteral } from "../syntax/regex-literal.ts";

/** Refusals as JSONata's errors, with `code`, `position` and `token`. */
export const REFUSALS: Refusals<ExpressionError> = {
  ofSize: ({ message, offset }) => new ExpressionError("D1011", message, { position: offset }),
  ofSyntax(thrown, fault) {
    if (!(thrown instanceof SyntaxError)) return evaluationError(thrown);
    // The error of JavaScript's parser of regular expressions has neither a code nor a position.
    const { message, offset } = fault();
    return new ExpressionError("D4101", message, { position: offset, cause: thrown });
  },
  ofMeaning(ast) {
    let refused: ExpressionError | undefined;
    walk(ast, (node) => {
      refused ??= endlessPattern(node);
    });
    return refused;
  },
};

/** The error of a regular expression that may backtrack without end (not linear). */
function endlessPattern(node: AstNode): ExpressionError | undefined {
  if (node.type !== "regex" || !(node.value instanceof RegExp)) return undefined;
  const compiled = compileLiteral(node.value);
  if (compiled.ok) return undefined;
  return new ExpressionError("D4101", `the regular expression cannot be used: ${compiled.message}`, {
    token: String(node.value),
    ...(node.position === undefined ? {} : { position: node.position }),
  });
}
