// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import jsonata from "jsonata";
import type { AstNode } from "./ast.ts";
import { treeOf } from "./tree-of.ts";

/** The tree of an expression that compiles, as the parser made it: an engine may change its own. */
export function parseExpression(source: string): AstNode | undefined {
  try {
    return treeOf(jsonata(source));
  } catch {
    return undefined;
  }
}
