// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ParsedSource } from "../analysis/parsed-source.ts";
import type { AstNode } from "../syntax/ast.ts";
import { AbsenceCheck } from "./absence.ts";
import { checkBypass } from "./bypass/check-bypass.ts";
import { checkClaims } from "./names/claims.ts";
import type { ExpressionFinding, ExpressionUse } from "./finding.ts";
import { Findings } from "./findings.ts";
import { checkForeignPatterns } from "./foreign-patterns.ts";
import { checkImpossible } from "./impossible/check-impossible.ts";
import { Inference } from "./inference/inference.ts";
import { isAnything, isOnly, nounOf, type Shape } from "./inference/kinds.ts";
import { checkNames } from "./names/names.ts";
import { parseExpression } from "../syntax/parse.ts";
import { checkRecursion } from "./recursion.ts";
import { type Facts, meaningOf, NO_FACTS, Presence, union } from "./presence.ts";

/** The facts that conditions guarantee, by the conditions' sources, with one manifest. */
export type KnownFacts = Map<string, Facts>;

/**
 * Finds the mistakes and risks in an expression, given its use, in the order of its source. A part with an
 * error can never work; a part with a warning may be meant. Pure: the same expression and use have the same
 * findings.
 *
 * @param known The facts of the conditions that were given so far, and then of `use.given` too; default none. Uses with
 *   the same manifest may share it.
 */
export function checkExpression(
  { source, references, ast = parseExpression(source) }: ParsedSource,
  use: ExpressionUse,
  known: KnownFacts = new Map(),
): readonly ExpressionFinding[] {
  if (ast === undefined) return [];
  try {
    return findingsOf(ast, { source, references }, use, known);
  } catch (error) {
    // The expression is nested deeper than this walk can go; the engine reports it by a limit of its own.
    if (error instanceof RangeError) return [];
    throw error;
  }
}

function findingsOf(
  ast: AstNode,
  { source, references }: Omit<ParsedSource, "ast">,
  use: ExpressionUse,
  known: KnownFacts,
): readonly ExpressionFinding[] {
  const findings = new Findings(ast, source);
  const inference = new Inference(ast, use, findings);
  checkNames(ast, source, references, inference);
  checkRecursion(ast, findings);
  checkForeignPatterns(ast, findings);
  const presence = new Presence(inference);
  const facts = factsGiven(use, known);
  const absence = new AbsenceCheck(inference, presence);
  const shape = inference.shapeOf(ast);
  if (use.purpose === "any") {
    if (isOnly(shape, "boolean")) absence.condition(ast, facts);
    else absence.value(ast, facts);
  } else if (use.purpose !== "value") {
    checkResult(ast, shape, findings);
    if (use.purpose !== "audit") absence.condition(ast, facts);
  } else if (use.cached) {
    absence.value(ast, facts);
  }
  checkImpossible(inference);
  checkClaims(inference);
  checkBypass(ast, inference);
  return findings.all();
}

/** The facts that the conditions around an expression guarantee. */
function factsGiven(use: ExpressionUse, known: KnownFacts): Facts {
  let facts = NO_FACTS;
  for (const source of use.given ?? []) {
    const ofCondition = known.get(source) ?? factsOf(source, use);
    known.set(source, ofCondition);
    facts = union(facts, ofCondition);
  }
  return facts;
}

function factsOf(source: string, use: ExpressionUse): Facts {
  const ast = parseExpression(source);
  if (ast === undefined) return NO_FACTS;
  const inference = new Inference(ast, use, new Findings(ast, source));
  return new Presence(inference).whenTrue(ast);
}

/** Notes a condition that can give a value other than true or false: it fails. */
function checkResult(ast: AstNode, shape: Shape, findings: Findings): void {
  if (isAnything(shape) || findings.has(ast)) return;
  const others = [...shape.kinds].filter((kind) => kind !== "boolean");
  if (others.length === 0) return;
  const suggestion = conditionMeant(ast, shape, findings);
  findings.add(ast, {
    code: "PURSER_EXPR_CONDITION",
    severity: shape.kinds.has("boolean") ? "warning" : "error",
    message: `the condition ${shape.kinds.has("boolean") ? "may give" : "gives"} ${nounOf(others)} where true or false is needed`,
    ...(suggestion === undefined ? {} : { suggestion }),
  });
}

/** The question that a condition of the wrong type was probably meant to ask. */
function conditionMeant(ast: AstNode, shape: Shape, findings: Findings): string | undefined {
  const text = findings.textOf(ast);
  if (shape.place !== undefined) return `$exists(${text})`;
  const isMatch = meaningOf(ast) === "matches";
  if (isMatch && ast.arguments?.length === 2) return text.replace(/^\$match/, "$contains");
  return ast.type === "condition" && shape.kinds.size === 1 && shape.kinds.has("string")
    ? findings.textOf(ast.condition as AstNode)
    : undefined;
}
