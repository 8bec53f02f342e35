// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AstNode } from "../../syntax/ast.ts";
import { checkEquality, checkMembership, checkOrder } from "./comparisons.ts";
import type { Inferred } from "./inferred.ts";
import { always, nounOf, type Shape } from "./kinds.ts";
import { shapeOfLogic } from "./logic.ts";
import { testOfOperator } from "./text-tests.ts";

const TESTS: ReadonlySet<unknown> = new Set(["=", "!=", "<", "<=", ">", ">=", "in"]);

/** The shape of a binary operator's result. Checks its operands. */
export function shapeOfBinary(node: AstNode, lhs: Shape, rhs: Shape, inference: Inferred): Shape {
  const optional = lhs.optional || rhs.optional;
  const test = TESTS.has(node.value) ? testOfOperator(node, lhs, rhs) : undefined;
  if (test !== undefined) inference.tests.set(node, test);
  switch (node.value) {
    case "=":
    case "!=":
      return checkEquality(node, lhs, rhs, inference);
    case "<":
    case "<=":
    case ">":
    case ">=":
      return checkOrder(node, lhs, rhs, inference);
    case "in":
      return checkMembership(node, lhs, rhs, inference);
    case "and":
    case "or":
      return shapeOfLogic(node, lhs, rhs, inference);
    case "&":
      return always("string");
    case "..":
      return { ...always("array"), items: new Set(["number"] as const) };
    default:
      checkArithmetic(node, lhs, rhs, inference);
      return { ...always("number"), optional };
  }
}

/** Notes operands of arithmetic that are no numbers, which JSONata refuses (T2001, T2002). */
function checkArithmetic(node: AstNode, lhs: Shape, rhs: Shape, inference: Inferred): void {
  const [left, right] = [node.lhs as AstNode, node.rhs as AstNode];
  checkNumber(left, lhs, node, inference);
  checkNumber(right, rhs, node, inference);
}

/** Checks an operand of `node`, which takes numbers only. */
export function checkNumber(operand: AstNode, shape: Shape, node: AstNode, { findings }: Inferred): void {
  if (shape.kinds.has("number")) return;
  const text = findings.textOf(operand);
  const isText = shape.kinds.has("string");
  const joined = node.value === "+" && isText;
  const suggestion = joined
    ? [node.lhs, node.rhs].map((side) => findings.textOf(side as AstNode)).join(" & ")
    : isText && shape.constant === undefined
      ? `$number(${text})`
      : undefined;
  findings.add(joined ? node : operand, {
    code: "PURSER_EXPR_TYPE",
    severity: "error",
    message: `${text} is ${nounOf(shape.kinds)}, and ${JSON.stringify(node.value)} takes numbers only`,
    ...(suggestion === undefined ? {} : { suggestion }),
  });
}
