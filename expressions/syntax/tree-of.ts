// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type jsonata from "jsonata";
import { type AstNode, walk } from "./ast.ts";

/**
 * The tree of a parsed expression, which its interpreter evaluates, with its patterns.
 *
 * `??` and `?:` test a copy of their left side that the parser makes through JSON, where a regular expression becomes `{}`. The
 * interpreter makes `/[object Object]/` of that, finds its first match again and again, and so does not return from
 * `$match(path, /x/) ?? "none"`. A copy is at the same position as its original.
 */
export function treeOf(parsed: jsonata.Expression): AstNode {
  const ast = parsed.ast() as unknown as AstNode;
  const patterns = new Map<number | undefined, RegExp>();
  const copies: AstNode[] = [];
  walk(ast, (node) => {
    if (node.type !== "regex") return;
    if (node.value instanceof RegExp) patterns.set(node.position, node.value);
    else copies.push(node);
  });
  for (const copy of copies) copy.value = patterns.get(copy.position);
  return ast;
}
