// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { foreignConstructs } from "../../kernel/matching/regex/foreign-syntax.ts";
import { type AstNode, walk } from "../syntax/ast.ts";
import type { Findings } from "./findings.ts";

/**
 * Notes parts of a regular expression that are another language's syntax and mean something else in
 * JavaScript.
 */
export function checkForeignPatterns(ast: AstNode, findings: Findings): void {
  walk(ast, (node) => {
    if (node.type !== "regex") return;
    const text = findings.textOf(node);
    const pattern = text.slice(1, text.lastIndexOf("/"));
    const begin = findings.rangeOf(node).start + 1;
    for (const { start, end, message, suggestion } of foreignConstructs(pattern)) {
      // A group that JavaScript's parser accepts is JavaScript's: newer versions have flags for groups.
      if (pattern.startsWith("(?", start)) continue;
      findings.addAt(
        { start: begin + start, end: begin + end },
        {
          code: "PURSER_EXPR_PATTERN",
          severity: "warning",
          message,
          ...(suggestion === undefined ? {} : { suggestion }),
        },
      );
    }
  });
}
