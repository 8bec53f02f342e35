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
 * The smallest parts whose values made the whole what it is: of an `and` that is false its first false side, of one that
 * is true both; of an `or` the other way round; through parentheses, `$not`, `$boolean` and the branches that were taken.
 * Of what failed, the part that failed. A part that was evaluated more than once has no one value, and is not entered.
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

/** The children that made the part's value; none when it made its value itself. */
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
      // A branch that is the same for any request decides nothing: the condition did.
      if (branch === undefined || branch.kind === "literal") return [first];
      return [branch];
    }
    default:
      return [];
  }
}
