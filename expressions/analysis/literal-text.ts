// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { textOf } from "../syntax/ast.ts";
import { parseExpression } from "../syntax/parse.ts";

/** The text of an expression that is only a string literal; undefined for any other expression. */
export function literalText(source: string): string | undefined {
  if (!/^\s*["']/.test(source)) return undefined;
  const ast = parseExpression(source);
  return ast?.type === "string" ? textOf(ast) : undefined;
}
