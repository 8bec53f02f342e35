// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AstNode } from "../../syntax/ast.ts";
import type { Inferred } from "./inferred.ts";
import type { Shape } from "./kinds.ts";

/**
 * Notes `request.headers["x-user"]`: a text in brackets is a predicate that is always true, and filters
 * nothing.
 */
export function checkTextFilter(
  owner: AstNode,
  filter: AstNode,
  shape: Shape,
  text: string,
  { findings }: Inferred,
): void {
  const { start } = findings.rangeOf(owner);
  const brackets = findings.bracketsAround(filter);
  if (brackets === undefined || brackets.start < start) return;
  const base = findings.slice({ start, end: brackets.start });
  const isList = shape.kinds.has("array") && !shape.kinds.has("object");
  const member = /^[A-Za-z_]\w*$/.test(text) ? text : JSON.stringify(text);
  findings.addAt(
    { start, end: brackets.end },
    {
      code: "PURSER_EXPR_TYPE",
      severity: "error",
      message: `[${JSON.stringify(text)}] is a filter that keeps everything, as any text counts as true: a member is read with a dot`,
      suggestion: isList ? `${base}[$ = ${JSON.stringify(text)}]` : `${base}.${member}`,
    },
  );
}
