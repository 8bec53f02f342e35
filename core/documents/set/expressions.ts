// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeManifest } from "../../attributes/manifest.ts";
import type { CompileExpression, Expression } from "../../expressions/expression.ts";
import type { Diagnostic } from "../../kernel/diagnostic.ts";
import type { ParsedDocument } from "../document.ts";
import { EXPRESSION_KEYWORD, type ExpressionMark } from "../kinds/fields.ts";
import { RULE, type RuleSpec } from "../kinds/handler.ts";
import type { Phase } from "../kinds/kind.ts";
import { type MarkedText, markedTexts } from "../schema/marks.ts";
import { ruleVariety } from "./rules.ts";

export interface CompiledExpressions {
  /** By source: an expression that several documents have is compiled once. Holds every one that compiles. */
  readonly expressions: ReadonlyMap<string, Expression>;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Compiles every expression of a set, and checks what each reads.
 *
 * @param attributes `complete` is false when not all that declares attributes could be read: none is then called unknown.
 */
export function compileExpressions(
  documents: readonly ParsedDocument[],
  compile: CompileExpression,
  attributes: { readonly manifest: AttributeManifest; readonly complete: boolean },
): CompiledExpressions {
  const expressions = new Map<string, Expression>();
  const diagnostics: Diagnostic[] = [];
  for (const document of documents) {
    for (const marked of markedTexts(EXPRESSION_KEYWORD, document.definition.spec, document.spec, ["spec"])) {
      const { text, path } = marked;
      const fault = (
        offset: number,
        { code, message, suggestion }: Omit<Diagnostic, "location" | "severity">,
      ) => {
        const location = document.places.within(path, offset);
        const hint = suggestion === undefined ? {} : { suggestion };
        diagnostics.push({ severity: "error", code, location, message, ...hint });
      };
      let expression = expressions.get(text);
      if (expression === undefined) {
        const result = compile(text);
        if (!result.ok) {
          fault(result.fault.offset, result.fault);
          continue;
        }
        ({ expression } = result);
        expressions.set(text, expression);
      }
      for (const reference of expression.references.paths) {
        const found = attributes.manifest.check(reference.path, phaseOf(document, marked));
        if (found === undefined) continue;
        if (attributes.complete || found.code !== "PURSER_EXPR_UNKNOWN_ATTRIBUTE")
          fault(reference.offset, found);
      }
    }
  }
  return { expressions, diagnostics };
}

/** A Rule decides before the request goes on when its templates do; its fields alone cannot say. */
function phaseOf({ definition, spec, valid }: ParsedDocument, { schema }: MarkedText): Phase {
  const { phase } = schema[EXPRESSION_KEYWORD] as ExpressionMark;
  if (definition.kind !== RULE.kind || !valid) return phase;
  return ruleVariety(spec as RuleSpec) === "check" ? "request" : phase;
}
