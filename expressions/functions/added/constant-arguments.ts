// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { ExpressionError } from "../../errors/expression-error.ts";
import { type AstNode, hasSuffix, textOf, variableName } from "../../syntax/ast.ts";
import { GATEWAY_FUNCTIONS, type GatewayFunction } from "./functions.ts";

const BY_NAME: ReadonlyMap<string, GatewayFunction> = new Map(
  GATEWAY_FUNCTIONS.map((declared) => [declared.name, declared]),
);

/**
 * What is wrong with the constants of a call (or a partial application) of a gateway function, found without running
 * it: a malformed glob, block, template, zone or range. Undefined when nothing is, or when they are not all constant.
 */
export function faultOfConstants(call: AstNode): string | undefined {
  const declared = BY_NAME.get(variableName(call.procedure) ?? "");
  if (declared?.prepare === undefined) return undefined;
  // The first argument may come from the context, or from the left side of ~>.
  const later = declared.parameters.length - 1;
  const constants = (call.arguments ?? []).slice(-later).map(constantOf);
  if (constants.length < later || constants.includes(undefined)) return undefined;
  try {
    declared.prepare(constants);
    return undefined;
  } catch (error: unknown) {
    if (error instanceof ExpressionError) return `${error.message} (${error.code})`;
    throw error;
  }
}

/** The text, or the array of texts, that a node is. */
function constantOf(node: AstNode): string | readonly string[] | undefined {
  if (hasSuffix(node)) return undefined;
  if (node.type === "string") return textOf(node);
  if (node.type !== "unary" || node.value !== "[") return undefined;
  const items = (node.expressions ?? []).map(constantOf);
  return items.every((item) => typeof item === "string") ? items : undefined;
}
