// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type AstNode, type AstPair, childrenOf, isPairs, textOf } from "../jsonata-ast.ts";

/** The names that are bound in the same frame as `node`, without those in blocks and functions within. */
export function boundIn(node: AstNode): Set<string> {
  const names = new Set<string>();
  const visit = (part: AstNode): void => {
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

export function pairsOf(node: AstNode): readonly AstPair[] {
  return isPairs(node.lhs) ? node.lhs : [];
}
