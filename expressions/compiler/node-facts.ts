// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type AstNode, type AstPair, childrenOf, isPairs, textOf } from "../syntax/ast.ts";

/** The names that are bound in the frame of `node`, without those of inner blocks and lambdas. */
export function boundIn(node: AstNode): Set<string> {
  const names = new Set<string>();
  const visit = (part: AstNode): void => {
    if (!holdsBinding(part)) return;
    if (part.type === "block" || part.type === "lambda") {
      // Predicates and groups after a block or a lambda are evaluated in the outer frame.
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

/**
 * Whether `node` or a node within it binds a name. The memo avoids a repeated walk by each enclosing frame.
 */
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

/** Nesting depth of the object constructors in `node`. */
export function objectDepth(node: AstNode): number {
  let depth = OBJECT_DEPTHS.get(node);
  if (depth === undefined) {
    const isObject = node.type === "unary" && node.value === "{";
    depth = Math.max(0, ...childrenOf(node).map(objectDepth)) + (isObject ? 1 : 0);
    OBJECT_DEPTHS.set(node, depth);
  }
  return depth;
}

/** Whether a node's value may be a nested sequence: each node around it unwraps one level only. */
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

/** Kinds of nodes whose value is settled: never a sequence that must still be unwrapped. */
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

/** Whether a block ends with a tail call, which the caller of the enclosing function makes. */
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
