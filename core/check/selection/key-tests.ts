// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributePath } from "../../attributes/bag.ts";
import { constantsOf } from "../../../expressions/compiler/emit-operator.ts";
import { plainNames } from "../../../expressions/syntax/path-node.ts";
import { type AstNode, textOf, variableName } from "../../../expressions/syntax/ast.ts";
import { compileRegex } from "../../../kernel/matching/regex.ts";

export type Constant = string | number | boolean;

/**
 * Something that must hold for a condition to be true: that the value at `path` is one of `values`, or that it is a
 * text which begins with one of `prefixes`. A value that is there and no text has to be left to the expression, which
 * may fail on it.
 */
export type KeyTest =
  | { readonly kind: "equals"; readonly path: AttributePath; readonly values: readonly Constant[] }
  | { readonly kind: "prefix"; readonly path: AttributePath; readonly prefixes: readonly string[] };

/**
 * Of the operands of `and`, those that are tests and are reached without one before them that could fail: where such a
 * test does not hold, the condition is false, and no fault.
 */
export function keyTestsOf(ast: AstNode | undefined): readonly KeyTest[] {
  const tests: KeyTest[] = [];
  for (const operand of ast === undefined ? [] : conjuncts(ast)) {
    const test = testOf(operand);
    if (test === undefined) break;
    tests.push(test);
    // A text's function fails on what is no text: what follows may not be reached.
    if (test.kind === "prefix") break;
  }
  return tests;
}

function conjuncts(node: AstNode): readonly AstNode[] {
  const plain = unwrap(node);
  return plain.type === "binary" && plain.value === "and" && isBare(plain)
    ? [...conjuncts(plain.lhs as AstNode), ...conjuncts(plain.rhs as AstNode)]
    : [plain];
}

/** What is in parentheses of its own. */
function unwrap(node: AstNode): AstNode {
  const [only, ...more] = node.expressions ?? [];
  return node.type === "block" &&
    isBare(node) &&
    only !== undefined &&
    more.length === 0 &&
    only.type !== "bind"
    ? unwrap(only)
    : node;
}

function isBare(node: AstNode): boolean {
  return node.predicate === undefined && node.group === undefined && node.keepArray !== true;
}

function testOf(given: AstNode): KeyTest | undefined {
  const node = unwrap(given);
  if (!isBare(node)) return undefined;
  if (node.type === "function") return prefixOfCall(node);
  if (node.type !== "binary") return undefined;
  const [left, right] = [node.lhs as AstNode, node.rhs as AstNode];
  if (node.value === "or") return eitherOf(testOf(left), testOf(right));
  if (node.value === "in") return equalsOneOf(left, constantsOf(right) ?? []);
  if (node.value !== "=") return undefined;
  const cut = prefixOfCut(left, right) ?? prefixOfCut(right, left);
  if (cut !== undefined) return cut;
  if (isConstant(right)) return equalsOneOf(left, [right.value as Constant]);
  return isConstant(left) ? equalsOneOf(right, [left.value as Constant]) : undefined;
}

function equalsOneOf(node: AstNode, values: readonly Constant[]): KeyTest | undefined {
  const path = plainNames(node);
  return path === undefined || values.length === 0 ? undefined : { kind: "equals", path, values };
}

function eitherOf(a: KeyTest | undefined, b: KeyTest | undefined): KeyTest | undefined {
  if (a?.kind !== "equals" || b?.kind !== "equals" || a.path.join("\0") !== b.path.join("\0"))
    return undefined;
  return { kind: "equals", path: a.path, values: [...a.values, ...b.values] };
}

/** `$startsWith(path, "text")`, `$contains(path, /^text/)` */
function prefixOfCall(node: AstNode): KeyTest | undefined {
  const [subject, argument, ...more] = node.arguments ?? [];
  const name = variableName(node.procedure);
  const path = subject === undefined ? undefined : plainNames(subject);
  if (path === undefined || argument === undefined || more.length > 0 || !isBare(argument)) return undefined;
  if (name === "startsWith" && argument.type === "string") return prefix(path, textOf(argument));
  if (name !== "contains" || !(argument.value instanceof RegExp)) return undefined;
  const compiled = compileRegex(argument.value.source, argument.value.flags);
  return compiled.ok ? prefix(path, compiled.regex.literalPrefix) : undefined;
}

/** `$substring(path, 0, n) = "text"` of that length. Code points and UTF-16 units are the same in plain texts alone. */
function prefixOfCut(node: AstNode, text: AstNode): KeyTest | undefined {
  if (node.type !== "function" || !isBare(node) || text.type !== "string" || !isBare(text)) return undefined;
  const [subject, start, length, ...more] = node.arguments ?? [];
  if (variableName(node.procedure) !== "substring" || more.length > 0) return undefined;
  const path = subject === undefined ? undefined : plainNames(subject);
  if (path === undefined || start?.type !== "number" || start.value !== 0 || length?.type !== "number")
    return undefined;
  const wanted = textOf(text);
  return length.value === wanted.length && /^[\x20-\x7e]+$/.test(wanted) ? prefix(path, wanted) : undefined;
}

function prefix(path: AttributePath, text: string): KeyTest | undefined {
  return text === "" ? undefined : { kind: "prefix", path, prefixes: [text] };
}

function isConstant(node: AstNode): boolean {
  if (!isBare(node)) return false;
  return (
    node.type === "string" ||
    node.type === "number" ||
    (node.type === "value" && typeof node.value === "boolean")
  );
}
