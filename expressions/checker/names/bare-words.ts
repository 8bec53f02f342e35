// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { suggest } from "../../../kernel/suggest.ts";
import { type AstNode, textOf, walk } from "../../syntax/ast.ts";
import type { SourceRange } from "../../syntax/source-ranges.ts";
import type { Inferred } from "../inference/inferred.ts";

const COMPARISONS: ReadonlySet<unknown> = new Set(["=", "!=", "<", "<=", ">", ">=", "in"]);

/**
 * Finds texts without their quotes where an attribute is compared with a name that is no attribute:
 * `request.method = GET`, `source.namespace in [shop, pay-ments]`. Returns their places.
 */
export function checkBareWords(ast: AstNode, inference: Inferred): readonly SourceRange[] {
  const ranges: SourceRange[] = [];
  const { findings } = inference;
  walk(ast, (node) => {
    for (const word of wordsComparedBy(node, inference)) {
      const range = findings.rangeOf(word);
      const text = findings.textOf(word).replace(/^[“”„‘’](.*)[“”„‘’]$/, "$1");
      if (!isBareWord(text) || isNearAttribute(word, inference)) continue;
      ranges.push(range);
      findings.forget(range);
      findings.addAt(range, {
        code: "PURSER_EXPR_UNKNOWN_ATTRIBUTE",
        severity: "error",
        message: isLiteral(text)
          ? `no attribute is called ${text}: true, false and null are written in lower case`
          : `no attribute is called ${text}: a text is written in quotes`,
        suggestion: isLiteral(text) ? text.toLowerCase() : JSON.stringify(text),
      });
    }
  });
  return ranges;
}

/** The operands, item by item, that an attribute is compared with and that are no attributes themselves. */
function wordsComparedBy(node: AstNode, inference: Inferred): readonly AstNode[] {
  const isAttribute = (part: AstNode | undefined): boolean =>
    part !== undefined && inference.shapeOf(part).place !== undefined;
  let others: readonly AstNode[] = [];
  if (node.type === "binary" && COMPARISONS.has(node.value)) {
    const [left, right] = [node.lhs as AstNode, node.rhs as AstNode];
    if (isAttribute(left)) others = [right];
    else if (isAttribute(right) && node.value !== "in") others = [left];
  } else if (node.type === "function" && isAttribute(node.arguments?.[0])) {
    others = (node.arguments ?? []).slice(1);
  }
  const items = others.flatMap((other) =>
    other.type === "unary" && other.value === "[" ? (other.expressions ?? []) : [other],
  );
  return items.filter((item) => !isAttribute(item) && (item.type === "path" || isDashed(item)));
}

function isDashed(node: AstNode): boolean {
  return node.type === "binary" && node.value === "-";
}

/** Whether a word is a literal in wrong letters: `True`, `NULL`. */
function isLiteral(text: string): boolean {
  return /^(?:true|false|null)$/i.test(text);
}

function isBareWord(text: string): boolean {
  return /^[A-Za-z_][\w]*(?:[.-]\w+)*$/.test(text);
}

/** Whether a name begins as an attribute does, or is a misspelling of one. */
function isNearAttribute(node: AstNode, { use, findings }: Inferred): boolean {
  const [root = ""] = findings.textOf(node).split(/[.-]/);
  const isPath = node.type === "path" && (node.steps ?? []).length > 1;
  if (use.manifest.lookup([root]) !== undefined) return true;
  if (!isPath) return false;
  const groups = new Set(use.manifest.declarations.map(({ name }) => name.split(".")[0] ?? ""));
  return suggest(root, groups) !== undefined || textOf(node.steps?.[0] ?? {}) === "";
}
