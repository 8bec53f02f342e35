// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AstNode } from "../../syntax/ast.ts";
import type { Inferred } from "../inference/inferred.ts";
import { noteBypass } from "./note-bypass.ts";

/**
 * Notes `ALLOW` when `a or b and c`, which means `a or (b and c)`: every request that `a` is true of passes
 * without `c`.
 */
export function checkPrecedence(node: AstNode, inference: Inferred): void {
  const { findings } = inference;
  const alternatives = operandsOf(node, "or");
  const isJoint = (part: AstNode): boolean => part.type === "binary" && part.value === "and";
  const single = alternatives.find((part) => !isJoint(part));
  if (single === undefined || !alternatives.some(isJoint)) return;
  const [first, last] = [alternatives[0] as AstNode, alternatives.at(-1) as AstNode];
  const isOnly = (part: AstNode): boolean =>
    alternatives.every((other) => isJoint(other) === (other === part));
  const between = (from: AstNode, to: AstNode): string =>
    findings.slice({ start: findings.rangeOf(from).start, end: findings.rangeOf(to).end });
  let suggestion: string | undefined;
  if (isOnly(last)) {
    const [head, second] = operandsOf(last, "and");
    if (head !== undefined && second !== undefined)
      suggestion = `(${between(first, head)}) and ${between(second, last)}`;
  } else if (isOnly(first)) {
    const parts = operandsOf(first, "and");
    const [tail, before] = [parts.at(-1), parts.at(-2)];
    if (tail !== undefined && before !== undefined)
      suggestion = `${between(first, before)} and (${between(tail, last)})`;
  }
  noteBypass(
    node,
    `"and" binds more tightly than "or", so ${findings.textOf(single)} alone lets a request pass: write parentheses around what belongs together`,
    suggestion,
    inference,
  );
}

/** The operands of a chain of `and` or of `or`; an operand in parentheses is not taken apart. */
function operandsOf(node: AstNode, operator: string): readonly AstNode[] {
  if (node.type !== "binary" || node.value !== operator) return [node];
  return [node.lhs as AstNode, node.rhs as AstNode].flatMap((side) => operandsOf(side, operator));
}
