// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import jsonata from "jsonata";
import type { AstNode } from "./ast.ts";
import { treeOf } from "./tree-of.ts";

/** The parser's own tree of an expression that compiles: an engine may change the tree that it evaluates. */
export function parseExpression(source: string): AstNode | undefined {
  try {
    return treeOf(jsonata(source));
  } catch {
    return undefined;
  }
}
