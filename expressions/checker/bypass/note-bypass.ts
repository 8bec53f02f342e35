// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AstNode } from "../../syntax/ast.ts";
import type { Inferred } from "../inference/inferred.ts";

/** Notes a part of a condition that requests can bypass. */
export function noteBypass(
  node: AstNode,
  message: string,
  suggestion: string | undefined,
  { findings }: Inferred,
): void {
  findings.add(node, {
    code: "PURSER_EXPR_BYPASS",
    severity: "warning",
    message,
    ...(suggestion === undefined ? {} : { suggestion }),
  });
}

/** `text` escaped for a pattern that matches nothing else. */
export function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}
