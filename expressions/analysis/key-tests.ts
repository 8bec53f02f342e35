// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { FUNCTIONS } from "../functions/functions.ts";
import type { PathRead, PathTable } from "../runtime/reads/path-read.ts";
import { type AstNode, hasSuffix, textOf, variableName } from "../syntax/ast.ts";
import { type Constant, constantOf, constantsOf } from "../syntax/constants.ts";
import { plainNames } from "../syntax/path-node.ts";
import { compileLiteral } from "../syntax/regex-literal.ts";

/**
 * A necessary test of a condition: the condition is true only if the value at `path` is one of `values`, or
 * is a text that begins with one of `prefixes`. A `prefix` test does not cover a value that is not a text:
 * the condition may fail on it.
 */
export type KeyTest =
  | { readonly kind: "equals"; readonly path: PathRead; readonly values: readonly Constant[] }
  | { readonly kind: "prefix"; readonly path: PathRead; readonly prefixes: readonly string[] };

/**
 * The equality, membership and prefix tests that are necessary for the condition to be true. Of the operands
 * of `and`, a test counts only if no earlier operand can fail: where a counted test does not hold, the
 * condition is false, and does not fail.
 */
export function keyTestsOf(ast: AstNode, paths: PathTable): readonly KeyTest[] {
  const tests: KeyTest[] = [];
  for (const operand of conjuncts(ast)) {
    const test = testOf(operand, paths);
    if (test === undefined) break;
    tests.push(test);
    // A text function fails on a value that is not a text, so later operands may not be evaluated.
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

/** The node inside parentheses, when they hold only one. */
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
  return !hasSuffix(node) && node.keepArray !== true;
}

function testOf(given: AstNode, paths: PathTable): KeyTest | undefined {
  const node = unwrap(given);
  if (!isBare(node)) return undefined;
  if (node.type === "function") return prefixOfCall(node, paths);
  if (node.type !== "binary") return undefined;
  const [left, right] = [node.lhs as AstNode, node.rhs as AstNode];
  if (node.value === "or") return eitherOf(testOf(left, paths), testOf(right, paths));
  if (node.value === "in") return equalsOneOf(left, constantsOf(right) ?? [], paths);
  if (node.value !== "=") return undefined;
  const cut = prefixOfCut(left, right, paths) ?? prefixOfCut(right, left, paths);
  if (cut !== undefined) return cut;
  const [onLeft, onRight] = [constantOf(left), constantOf(right)];
  if (onRight !== undefined) return equalsOneOf(left, [onRight], paths);
  return onLeft === undefined ? undefined : equalsOneOf(right, [onLeft], paths);
}

function equalsOneOf(node: AstNode, values: readonly Constant[], paths: PathTable): KeyTest | undefined {
  const names = plainNames(node);
  return names === undefined || values.length === 0
    ? undefined
    : { kind: "equals", path: paths.of(names), values };
}

function eitherOf(a: KeyTest | undefined, b: KeyTest | undefined): KeyTest | undefined {
  if (a?.kind !== "equals" || b?.kind !== "equals" || a.path !== b.path) return undefined;
  return { kind: "equals", path: a.path, values: [...a.values, ...b.values] };
}

/** The prefix test of `$startsWith(path, "text")` and `$contains(path, /^text/)`. */
function prefixOfCall(node: AstNode, paths: PathTable): KeyTest | undefined {
  const [subject, argument, ...more] = node.arguments ?? [];
  if (subject === undefined || argument === undefined || more.length > 0 || !isBare(argument))
    return undefined;
  return prefixOf(subject, prefixAskedFor(variableName(node.procedure), argument), paths);
}

function prefixAskedFor(name: string | undefined, { type, value }: AstNode): string {
  const test = FUNCTIONS.get(name ?? "")?.checks?.test;
  if (test === "start" && type === "string") return textOf({ value });
  if (test !== "part" || !(value instanceof RegExp)) return "";
  const compiled = compileLiteral(value);
  return compiled.ok ? compiled.regex.literalPrefix : "";
}

/**
 * The prefix test of `$substring(path, 0, n) = "text"` with a text of length n. Its text must be plain, so
 * that code points and UTF-16 units agree.
 */
function prefixOfCut(node: AstNode, text: AstNode, paths: PathTable): KeyTest | undefined {
  if (node.type !== "function" || !isBare(node) || text.type !== "string" || !isBare(text)) return undefined;
  const [subject, start, length, ...more] = node.arguments ?? [];
  if (
    FUNCTIONS.get(variableName(node.procedure) ?? "")?.checks?.text !== "slice" ||
    subject === undefined ||
    more.length > 0
  )
    return undefined;
  if (start?.type !== "number" || start.value !== 0 || length?.type !== "number") return undefined;
  const wanted = textOf(text);
  const isCut = length.value === wanted.length && /^[\x20-\x7e]+$/.test(wanted);
  return isCut ? prefixOf(subject, wanted, paths) : undefined;
}

function prefixOf(subject: AstNode, text: string, paths: PathTable): KeyTest | undefined {
  const names = plainNames(subject);
  return names === undefined || text === ""
    ? undefined
    : { kind: "prefix", path: paths.of(names), prefixes: [text] };
}
