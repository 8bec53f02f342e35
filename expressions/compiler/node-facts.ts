// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type AstNode, type AstPair, childrenOf, isPairs, textOf } from "../syntax/ast.ts";

/** The names that are bound in the same frame as `node`, without those in blocks and functions within. */
export function boundIn(node: AstNode): Set<string> {
  const names = new Set<string>();
  const visit = (part: AstNode): void => {
    if (!holdsBinding(part)) return;
    if (part.type === "block" || part.type === "lambda") {
      // Predicates and groups after them are evaluated outside.
      for (const stage of part.predicate ?? []) if (stage.expr !== undefined) visit(stage.expr);
      for (const pair of part.group?.lhs ?? []) pair.forEach(visit);
      return;
    }
    if (part.type === "bind") names.add(textOf(part.lhs as AstNode));
    childrenOf(part).forEach(visit);
  };
  visit(node);
  return names;
}

const HOLDS_BINDING = new WeakMap<AstNode, boolean>();

/** Whether `node` or anything within it binds a name. Remembered: each frame asks again for all that is within it. */
function holdsBinding(node: AstNode): boolean {
  let holds = HOLDS_BINDING.get(node);
  if (holds === undefined) {
    holds = node.type === "bind" || childrenOf(node).some(holdsBinding);
    HOLDS_BINDING.set(node, holds);
  }
  return holds;
}

export function pairsOf(node: AstNode): readonly AstPair[] {
  return isPairs(node.lhs) ? node.lhs : [];
}

const OBJECT_DEPTHS = new WeakMap<AstNode, number>();

/** How deep objects that are written out nest in `node`. */
export function objectDepth(node: AstNode): number {
  let depth = OBJECT_DEPTHS.get(node);
  if (depth === undefined) {
    const isObject = node.type === "unary" && node.value === "{";
    depth = Math.max(0, ...childrenOf(node).map(objectDepth)) + (isObject ? 1 : 0);
    OBJECT_DEPTHS.set(node, depth);
  }
  return depth;
}

/** A sequence within a sequence gives way once for each node that it is the value of. */
export function mayBeSequence(node: AstNode): boolean {
  if (node.predicate !== undefined || node.keepArray === true) return true;
  switch (node.type) {
    case "block":
      return mayNest(node.expressions?.at(-1));
    case "condition":
      return mayNest(node.then) || mayNest(node.else);
    case "bind":
      return mayNest(node.rhs as AstNode);
    case "binary":
      return node.value === "..";
    default:
      return !SETTLED.has(node.type ?? "");
  }
}

function mayNest(node: AstNode | undefined): boolean {
  if (node === undefined) return false;
  return ["function", "apply", "variable"].includes(node.type ?? "") || mayBeSequence(node);
}

/** Nodes whose value is no sequence, or was one that has given way. */
const SETTLED: ReadonlySet<string> = new Set([
  "string",
  "number",
  "value",
  "unary",
  "lambda",
  "regex",
  "path",
  "transform",
]);

/** Whether the value of a block is a call that is yet to be made, by whoever called the function that the block is in. */
export function endsWithTailCall(node: AstNode): boolean {
  if (node.type === "lambda") return (node as { readonly thunk?: boolean }).thunk === true;
  const ends =
    node.type === "block"
      ? [node.expressions?.at(-1)]
      : node.type === "condition"
        ? [node.then, node.else]
        : [];
  return ends.some((end) => end !== undefined && endsWithTailCall(end));
}
