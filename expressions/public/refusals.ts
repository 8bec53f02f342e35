// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Refusals } from "../engine.ts";
import { ExpressionError } from "../errors/expression-error.ts";
import { evaluationError } from "../errors/failures.ts";
import { type AstNode, walk } from "../syntax/ast.ts";
import { compileLiteral } from "../syntax/regex-literal.ts";

/** Refusals as JSONata's own errors, with `code`, `position` and `token`. */
export const REFUSALS: Refusals<ExpressionError> = {
  ofSize: ({ message, offset }) => new ExpressionError("D1011", message, { position: offset }),
  ofSyntax(thrown, fault) {
    if (!(thrown instanceof SyntaxError)) return evaluationError(thrown);
    // JavaScript's parser of regular expressions, which gives neither a code nor a place.
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

/** A regular expression that might not end. */
function endlessPattern(node: AstNode): ExpressionError | undefined {
  if (node.type !== "regex" || !(node.value instanceof RegExp)) return undefined;
  const compiled = compileLiteral(node.value);
  if (compiled.ok) return undefined;
  return new ExpressionError("D4101", `the regular expression cannot be used: ${compiled.message}`, {
    token: String(node.value),
    ...(node.position === undefined ? {} : { position: node.position }),
  });
}
