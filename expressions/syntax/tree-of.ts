// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type jsonata from "jsonata";
import { type AstNode, walk } from "./ast.ts";

/**
 * The tree that the interpreter of a parsed expression evaluates, with its patterns restored.
 *
 * `??` and `?:` test a copy of their left side. The parser makes the copy through JSON, which turns a regular
 * expression into `{}`. The interpreter makes `/[object Object]/` of it, finds its first match again and
 * again, and so never returns from `$match(path, /x/) ?? "none"`. A copy is recognised by the position of its
 * original.
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
