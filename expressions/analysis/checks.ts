// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { suggest } from "../../kernel/suggest.ts";
import type { ExpressionFault } from "../errors/expression-error.ts";
import { compileLiteral } from "../syntax/regex-literal.ts";
import { FUNCTIONS } from "../functions/functions.ts";
import { faultOfConstants } from "./constant-arguments.ts";
import { type AstNode, startOf, textOf, variableName, walk } from "../syntax/ast.ts";

/**
 * The first construct that JSONata parses and Purser refuses: it never works, hides its reads, or may stall.
 */
export function findFault(ast: AstNode, source: string): ExpressionFault | undefined {
  const faults: ExpressionFault[] = [];
  const bound = boundVariables(ast);
  walk(ast, (node) => {
    const fault =
      (node.type === "variable" && variableFault(node, source, bound)) ||
      (node.type === "regex" && regexFault(node, source)) ||
      (node.type === "path" && pathFault(node)) ||
      ((node.type === "function" || node.type === "partial") && callFault(node, source, bound));
    if (fault) faults.push(fault);
  });
  return faults.sort((a, b) => a.offset - b.offset)[0];
}

/** Most steps of one path; attributes nest only a few levels. */
const MOST_STEPS = 100;

function pathFault(node: AstNode): ExpressionFault | undefined {
  const beyond = node.steps?.[MOST_STEPS];
  if (beyond === undefined) return undefined;
  const message = `a path has more than ${MOST_STEPS} steps`;
  return { code: "PURSER_EXPR_SYNTAX", message, offset: beyond.position ?? 0 };
}

/** Names of all functions and variables in an expression, without the `$`. */
export function mentionedVariables(ast: AstNode): ReadonlySet<string> {
  const names = new Set<string>();
  walk(ast, (node) => {
    if (node.type === "variable") names.add(textOf(node));
  });
  return names;
}

/** All names that are bound anywhere. Scopes are ignored: distinguishing them could only refuse more. */
function boundVariables(ast: AstNode): ReadonlySet<string> {
  const bound = new Set(["", "$"]);
  walk(ast, (node) => {
    if (node.type === "bind") bound.add(textOf(node.lhs as AstNode));
    if (node.type === "lambda") for (const parameter of node.arguments ?? []) bound.add(textOf(parameter));
    if (node.focus !== undefined) bound.add(node.focus);
    if (node.index !== undefined) bound.add(node.index);
    for (const stage of node.stages ?? []) if (stage.type === "index") bound.add(textOf(stage));
  });
  return bound;
}

function variableFault(
  node: AstNode,
  source: string,
  bound: ReadonlySet<string>,
): ExpressionFault | undefined {
  const name = textOf(node);
  const offset = startOf(node, source);
  if (name === "eval") {
    const message = "$eval is not allowed: what its text reads is hidden from every check";
    return { code: "PURSER_EXPR_FORBIDDEN", message, offset };
  }
  if (bound.has(name) || FUNCTIONS.has(name)) return undefined;
  // Nodes that the parser generates have no position; `??` generates a call of $exists, which is known.
  const message = `there is no function or variable $${name}${didYouMean(name, bound)}`;
  return { code: "PURSER_EXPR_SYNTAX", message, offset };
}

function callFault(node: AstNode, source: string, bound: ReadonlySet<string>): ExpressionFault | undefined {
  const procedure = node.procedure as AstNode;
  if (procedure.type === "variable" && !bound.has(textOf(procedure))) {
    const message = faultOfConstants(node);
    if (message !== undefined)
      return { code: "PURSER_EXPR_SYNTAX", message, offset: startOf(procedure, source) };
  }
  const most = FUNCTIONS.get(variableName(procedure) ?? "")?.restriction?.mostArguments;
  if (most !== undefined && (node.arguments?.length ?? 0) > most.count)
    return { code: "PURSER_EXPR_FORBIDDEN", message: most.reason, offset: startOf(procedure, source) };
  const [first, ...more] = procedure.type === "path" ? (procedure.steps ?? []) : [];
  if (first?.type !== "name" || more.length > 0) return undefined;
  const name = textOf(first);
  const message = `${name} is not a function, as functions begin with a $${didYouMean(name, [])}`;
  return { code: "PURSER_EXPR_SYNTAX", message, offset: startOf(first, source) };
}

function didYouMean(name: string, bound: Iterable<string>): string {
  const candidate = suggest(
    name,
    [...FUNCTIONS.keys(), ...bound].filter((known) => known.length > 1),
  );
  return candidate === undefined ? "" : ` (did you mean $${candidate}?)`;
}

function regexFault(node: AstNode, source: string): ExpressionFault | undefined {
  if (!(node.value instanceof RegExp)) return undefined;
  const result = compileLiteral(node.value);
  if (result.ok) return undefined;
  const message = `the regular expression cannot be used: ${result.message}`;
  return {
    code: "PURSER_EXPR_SYNTAX",
    message,
    offset: literalStart(node.value, node.position ?? 0, source),
  };
}

/**
 * Offset of the start of the literal that ends at `end`. Escaped slashes make its source longer than its
 * text.
 */
function literalStart(literal: RegExp, end: number, source: string): number {
  const closing = source.lastIndexOf("/", end - 1);
  for (let at = source.lastIndexOf("/", closing - 1); at >= 0; at = source.lastIndexOf("/", at - 1)) {
    const text = source.slice(at + 1, closing);
    if (text === literal.source || text.replaceAll("/", "\\/") === literal.source) return at;
  }
  return Math.max(0, closing - literal.source.length - 1);
}
