// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { ExpressionError } from "../errors/expression-error.ts";
import { type AstNode, hasSuffix, textOf, variableName } from "../syntax/ast.ts";
import { FUNCTION_TYPES } from "../functions/function-facts.ts";
import { FUNCTIONS } from "../functions/functions.ts";

/**
 * The mistake in the constant arguments of a call or a partial application, found without running it: a
 * malformed glob, CIDR block, template, time zone, range or prefix length. Undefined without a mistake, or when
 * an argument after the first is not constant.
 */
export function faultOfConstants(call: AstNode): string | undefined {
  const name = variableName(call.procedure) ?? "";
  const prepare = FUNCTIONS.get(name)?.prepare;
  if (prepare === undefined) return undefined;
  // The first argument may come from the context, or from the left side of ~>.
  const later = (FUNCTION_TYPES.get(name)?.parameters.length ?? 0) - 1;
  const constants = (call.arguments ?? []).slice(-later).map(constantOf);
  if (constants.length < later || constants.includes(undefined)) return undefined;
  try {
    prepare(constants);
    return undefined;
  } catch (error: unknown) {
    if (error instanceof ExpressionError) return `${error.message} (${error.code})`;
    throw error;
  }
}

/** The constant of a node: a text, a number, or an array of texts. */
function constantOf(node: AstNode): string | number | readonly string[] | undefined {
  if (hasSuffix(node)) return undefined;
  if (node.type === "number") return node.value as number;
  if (node.type === "string") return textOf(node);
  if (node.type !== "unary" || node.value !== "[") return undefined;
  const items = (node.expressions ?? []).map(constantOf);
  return items.every((item) => typeof item === "string") ? items : undefined;
}
