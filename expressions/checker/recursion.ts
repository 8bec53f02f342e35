// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type AstNode, textOf, walk } from "../syntax/ast.ts";
import type { Findings } from "./findings.ts";

/** Notes functions that call themselves unconditionally: they run until a limit stops them (D1011, D1012). */
export function checkRecursion(ast: AstNode, findings: Findings): void {
  walk(ast, (node) => {
    const lambda = node.rhs as AstNode | undefined;
    if (node.type !== "bind" || lambda?.type !== "lambda" || lambda.body === undefined) return;
    const name = textOf(node.lhs as AstNode);
    if ((lambda.arguments ?? []).some((parameter) => textOf(parameter) === name)) return;
    if (!surelyCalls(lambda.body, name)) return;
    findings.add(lambda, {
      code: "PURSER_EXPR_ENDLESS",
      severity: "error",
      message: `$${name} calls itself unconditionally: only a limit stops it`,
    });
  });
}

/** Whether evaluating `node` always calls the function called `name`. */
function surelyCalls(node: AstNode, name: string): boolean {
  const calls = (part: AstNode | undefined): boolean => part !== undefined && surelyCalls(part, name);
  switch (node.type) {
    case "function":
      return textOf(node.procedure as AstNode) === name && node.procedure?.type === "variable"
        ? true
        : (node.arguments ?? []).some(calls);
    case "condition":
      return calls(node.condition) || (calls(node.then) && calls(node.else));
    case "binary":
      return (
        calls(node.lhs as AstNode) ||
        (node.value !== "and" && node.value !== "or" && calls(node.rhs as AstNode))
      );
    // Later steps are not evaluated when the first step gives nothing.
    case "path":
      return calls(node.steps?.[0]);
    // The parser wraps a call in tail position in a thunk, which is called at once.
    case "lambda":
      return (node as { readonly thunk?: boolean }).thunk === true && calls(node.body);
    case "bind":
      return calls(node.rhs as AstNode);
    case "block": {
      const parts = node.expressions ?? [];
      const isHidden = parts.some((part) => part.type === "bind" && textOf(part.lhs as AstNode) === name);
      return !isHidden && parts.some(calls);
    }
    case "unary":
      return calls(node.expression) || (node.expressions ?? []).some(calls);
    default:
      return false;
  }
}
