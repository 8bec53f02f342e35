// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeManifest } from "../../../expressions/manifest/manifest.ts";
import { checkExpression, type KnownFacts } from "../../../expressions/checker/check-expression.ts";
import type { ExpressionFinding } from "../../../expressions/checker/finding.ts";
import type { CompileExpression, Expression } from "../../expressions/expression.ts";
import type { Diagnostic } from "../../../kernel/diagnostic.ts";
import type { ParsedDocument } from "../document.ts";
import { EXPRESSION_KEYWORD } from "../kinds/fields.ts";
import { markedTexts } from "../schema/marks.ts";
import { useOf } from "./uses.ts";

export interface CompiledExpressions {
  /** All valid expressions by source, so that an expression in several documents is compiled once. */
  readonly expressions: ReadonlyMap<string, Expression>;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Compiles every expression of a set, and checks the attributes that each reads.
 *
 * @param attributes With `complete` false, some declarations could not be read, so no attribute is reported
 *   as unknown.
 */
export function compileExpressions(
  documents: readonly ParsedDocument[],
  compile: CompileExpression,
  attributes: { readonly manifest: AttributeManifest; readonly complete: boolean },
): CompiledExpressions {
  const expressions = new Map<string, Expression>();
  const diagnostics: Diagnostic[] = [];
  const found = new Map<string, readonly ExpressionFinding[]>();
  // Many documents have the same `match`, which each of their expressions is checked under.
  const known: KnownFacts = new Map();
  for (const document of documents) {
    for (const marked of markedTexts(EXPRESSION_KEYWORD, document.definition.spec, document.spec, ["spec"])) {
      const { text, path } = marked;
      let expression = expressions.get(text);
      if (expression === undefined) {
        const result = compile(text);
        if (!result.ok) {
          const { offset, code, message } = result.fault;
          const location = document.places.within(path, offset);
          diagnostics.push({ severity: "error", code, location, message });
          continue;
        }
        ({ expression } = result);
        expressions.set(text, expression);
      }
      const use = useOf(document, marked);
      // Many documents have the same expression with the same use: check it once.
      const key = JSON.stringify([text, use]);
      const findings = found.get(key) ?? checkExpression(expression, { ...attributes, ...use }, known);
      found.set(key, findings);
      for (const { start, end, ...finding } of findings) {
        const location = document.places.within(path, start);
        const { line, column } = document.places.endWithin(path, end);
        diagnostics.push({ ...finding, location, end: { line, column } });
      }
    }
  }
  return { expressions, diagnostics };
}
