// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { OutlineNode } from "../../expressions/tracing/syntax-outline.ts";

interface Observed {
  readonly reached: number;
  readonly count: number;
  readonly truth: boolean;
  readonly present: boolean;
}

/**
 * The smallest parts that determined the value of the whole: for a false `and` its first false operand, for a
 * true `and` both operands; for `or` the other way round; through parentheses, `$not`, `$boolean` and the
 * branches taken. For a failure, the part that failed. A part that was evaluated several times has no single
 * value, so its children are not examined.
 */
export function decidingParts(
  root: OutlineNode,
  observed: (part: OutlineNode) => Observed,
): ReadonlySet<OutlineNode> {
  const found = new Set<OutlineNode>();
  const failed = (part: OutlineNode) => observed(part).reached > observed(part).count;
  const descend = (part: OutlineNode): void => {
    const failing = part.children.find(failed);
    if (failed(part) && failing !== undefined) return descend(failing);
    const next = failed(part) || observed(part).count > 1 ? [] : reasonsOf(part, observed);
    if (next.length === 0) found.add(part);
    for (const reason of next) descend(reason);
  };
  descend(root);
  return found;
}

/** The children that determined the part's value; none when the part computed the value itself. */
function reasonsOf(part: OutlineNode, observed: (part: OutlineNode) => Observed): readonly OutlineNode[] {
  const { children, kind } = part;
  const [first, second, third] = children;
  if (first === undefined) return [];
  const took = (child: OutlineNode | undefined): child is OutlineNode =>
    child !== undefined && observed(child).count > 0;
  switch (kind) {
    case "block":
      return part.hasSuffix ? [] : [children.at(-1) ?? first];
    case "$not":
    case "$boolean":
      return children.length === 1 ? [first] : [];
    case "and":
    case "or": {
      const decisive = kind === "or";
      const { truth } = observed(part);
      if (truth !== decisive) return children;
      return children.filter((child) => took(child) && observed(child).truth === decisive).slice(0, 1);
    }
    case "?:":
      return observed(first).truth ? [first] : children.slice(1);
    case "??":
      return observed(first).present ? [first] : children.slice(1);
    case "?": {
      const branch = [second, third].find(took);
      // A constant branch is the same for every request: the condition decided.
      if (branch === undefined || branch.kind === "literal") return [first];
      return [branch];
    }
    default:
      return [];
  }
}
