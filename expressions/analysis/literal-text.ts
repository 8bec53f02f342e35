// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { textOf } from "../syntax/ast.ts";
import { parseExpression } from "../syntax/parse.ts";

/** The text of an expression that is nothing but a text in quotes; undefined for any other. */
export function literalText(source: string): string | undefined {
  if (!/^\s*["']/.test(source)) return undefined;
  const ast = parseExpression(source);
  return ast?.type === "string" ? textOf(ast) : undefined;
}
