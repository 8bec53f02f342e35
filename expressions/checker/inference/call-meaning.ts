// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AstNode } from "../../syntax/ast.ts";
import type { CallTest } from "../../functions/definition.ts";
import { FUNCTIONS } from "../../functions/functions.ts";
import { isCalledList } from "./comparisons.ts";
import { listedIn } from "../forms/text-form.ts";
import type { Inferred } from "./inferred.ts";
import { isOnly, type Shape } from "./kinds.ts";
import { onlyExpression } from "../presence.ts";
import type { Operand } from "./text-tests.ts";

/** Tests that take a text and fail on a list. */
const TEXT_TESTS: ReadonlySet<CallTest> = new Set<CallTest>(["part", "start", "end"]);

/** Notes calls whose arguments have the right types but cannot be what the author meant. */
export function checkMeaning(
  node: AstNode,
  name: string,
  operands: readonly Operand[],
  inference: Inferred,
): void {
  const [first, second] = operands;
  if (first === undefined) return;
  const { meaning, test, searches } = FUNCTIONS.get(name)?.checks ?? {};
  if (test !== undefined && TEXT_TESTS.has(test) && isCalledList(first.shape))
    checkListedText(node, first, second, inference);
  if (searches === true && second !== undefined) checkOrderOfArguments(node, name, first, second, inference);
  else if (meaning === "count") checkCountOfOne(node, first, inference);
  else if (meaning === "existence") checkExistence(node, first, inference);
  else if (meaning === "numeral") checkNumeral(node, first, inference);
}

/** Notes swapped arguments: `$startsWith("/admin", request.url_path)`. */
function checkOrderOfArguments(
  node: AstNode,
  name: string,
  first: Operand,
  second: Operand,
  { findings }: Inferred,
): void {
  const { constant } = first.shape;
  const isData = second.shape.place !== undefined || second.shape.form !== undefined;
  if (typeof constant !== "string" || !isData || first.node === undefined || second.node === undefined)
    return;
  const [text, subject] = [findings.textOf(first.node), findings.textOf(second.node)];
  const listed = FUNCTIONS.get(name)?.checks?.test === "part" ? listedIn(constant) : undefined;
  const suggestion =
    listed === undefined
      ? `$${name}(${subject}, ${text})`
      : `${subject} in [${listed.map((item) => JSON.stringify(item)).join(", ")}]`;
  findings.add(node, {
    code: "PURSER_EXPR_ARGUMENT",
    severity: "warning",
    message: `the arguments are the wrong way round: $${name} looks for its second argument in its first, here for ${subject} in ${text}`,
    suggestion,
  });
}

/** Notes a list where a text is needed: `$contains(request.auth.claims.roles, "admin")` fails on a list. */
function checkListedText(
  node: AstNode,
  list: Operand,
  text: Operand | undefined,
  { findings }: Inferred,
): void {
  if (list.node === undefined || text?.node === undefined) return;
  const [lists, item] = [findings.textOf(list.node), findings.textOf(text.node)];
  findings.add(node, {
    code: "PURSER_EXPR_ARGUMENT",
    severity: "warning",
    message: `${lists} may be a list, which this function fails on (T0410)`,
    ...(typeof text.shape.constant === "string" ? { suggestion: `${item} in ${lists}` } : {}),
  });
}

/** Notes `$count(request.headers)`: `$count` counts a value that is no list as one. */
function checkCountOfOne(node: AstNode, { shape, node: argument }: Operand, { findings }: Inferred): void {
  if (shape.place === undefined || argument === undefined) return;
  const text = findings.textOf(argument);
  const suggestion = isOnly(shape, "object")
    ? `$count($keys(${text}))`
    : isOnly(shape, "string")
      ? `$length(${text})`
      : undefined;
  if (suggestion === undefined) return;
  findings.add(node, {
    code: "PURSER_EXPR_ARGUMENT",
    severity: "warning",
    message: `${text} is ${isOnly(shape, "object") ? "an object" : "text"}, which $count counts as one`,
    suggestion,
  });
}

/**
 * Notes `$exists` of a value that is always there: `$exists(x = "bob")` (a comparison always has a value).
 */
function checkExistence(
  node: AstNode,
  { shape, node: argument }: Operand,
  { findings, use }: Inferred,
): void {
  if (typeof shape.constant === "string" && argument !== undefined) {
    const isAttribute = use.manifest.lookup(shape.constant.split(".")) !== undefined;
    findings.add(node, {
      code: "PURSER_EXPR_CONSTANT",
      severity: "warning",
      message: `${findings.textOf(argument)} is a text, which is always there: an attribute is named without quotes`,
      ...(isAttribute ? { suggestion: `$exists(${shape.constant})` } : {}),
    });
    return;
  }
  const inner = argument && (onlyExpression(argument) ?? argument);
  if (inner === undefined || !isAlwaysThere(inner, shape)) return;
  const text = findings.textOf(inner);
  const isComparison = inner.type === "binary";
  findings.add(node, {
    code: "PURSER_EXPR_CONSTANT",
    severity: "warning",
    message: isComparison
      ? `${text} always has a value, true or false, so $exists of it is always true`
      : `${text} is always there, so $exists of it is always true`,
    ...(isComparison ? { suggestion: text } : {}),
  });
}

const CONDITIONS: ReadonlySet<unknown> = new Set(["=", "!=", "in", "and", "or"]);

function isAlwaysThere(node: AstNode, shape: Shape): boolean {
  if (node.type === "binary") return CONDITIONS.has(node.value);
  return (
    node.type === "path" && shape.place !== undefined && shape.declaration !== undefined && !shape.optional
  );
}

/** Notes `$number` of a text that is never a number, which always fails: `$number(request.method)`. */
function checkNumeral(node: AstNode, { shape, node: argument }: Operand, { findings }: Inferred): void {
  const { form, declaration } = shape;
  if (form === undefined || form.numeric || argument === undefined) return;
  const text = findings.textOf(argument);
  findings.add(node, {
    code: "PURSER_EXPR_ARGUMENT",
    severity: "error",
    message: `${text} is never a number, so $number of it always fails (D3030)`,
    ...(declaration?.form === "timestamp" ? { suggestion: `$toMillis(${text})` } : {}),
  });
}
