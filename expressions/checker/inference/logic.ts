// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AstNode } from "../../syntax/ast.ts";
import type { Inferred } from "./inferred.ts";
import { argumentOf } from "../presence.ts";
import { always, isAnything, nounOf, type Shape } from "./kinds.ts";

/** Checks `and` and `or`, which convert a value that is no boolean into one: rarely what the author meant. */
export function shapeOfLogic(node: AstNode, lhs: Shape, rhs: Shape, inference: Inferred): Shape {
  const [left, right] = [node.lhs as AstNode, node.rhs as AstNode];
  checkTruth(left, lhs, inference);
  checkTruth(right, rhs, inference, left);
  const shape = always("boolean");
  checkAlternatives(node, inference);
  const decisive = node.value === "or";
  if (![lhs, rhs].some(({ constant }) => constant === decisive)) return shape;
  inference.findings.add(node, {
    code: "PURSER_EXPR_CONSTANT",
    severity: "warning",
    message: `this is always ${decisive}, whatever the request`,
  });
  return { ...shape, constant: decisive };
}

/**
 * Notes a value that counts as true or false without being a boolean. `beside`: the operand that it is
 * combined with.
 */
export function checkTruth(node: AstNode, shape: Shape, { findings }: Inferred, beside?: AstNode): void {
  if (isAnything(shape) || shape.kinds.has("boolean")) return;
  const text = findings.textOf(node);
  const isText = shape.kinds.has("string");
  const counts = isText ? `any text but "" counts as true, "false" too` : "it only counts as one";
  const compared = beside === undefined ? undefined : comparedIn(beside);
  const suggestion =
    shape.constant !== undefined
      ? compared && `${findings.textOf(compared)} = ${text}`
      : shape.place === undefined
        ? undefined
        : `$exists(${text})`;
  findings.add(node, {
    code: "PURSER_EXPR_CONDITION",
    severity: shape.constant === undefined ? "warning" : "error",
    message: `${text} is ${nounOf(shape.kinds)} where true or false is needed: ${counts}`,
    ...(suggestion === undefined ? {} : { suggestion }),
  });
}

/** The `a` in `a = "x" or "y"`, with which the author meant to compare the second text too. */
function comparedIn(node: AstNode): AstNode | undefined {
  if (node.type !== "binary") return undefined;
  if (node.value === "=" || node.value === "!=") return node.lhs as AstNode;
  return node.value === "and" || node.value === "or" ? comparedIn(node.lhs as AstNode) : undefined;
}

/**
 * Notes alternatives that exclude each other: `a = "x" and a = "y"` is never true, `a != "x" or a != "y"`
 * always is.
 */
function checkAlternatives(node: AstNode, inference: Inferred): void {
  const known = comparisonsOf(node.lhs as AstNode, node.value, inference);
  for (const [key, constant] of comparisonsOf(node.rhs as AstNode, node.value, inference)) {
    if (!known.has(key)) known.set(key, constant);
    if (known.get(key) === constant) continue;
    const both = `[${JSON.stringify(known.get(key))}, ${JSON.stringify(constant)}]`;
    const never = node.value === "and";
    inference.findings.add(node, {
      code: "PURSER_EXPR_CONSTANT",
      severity: "warning",
      message: never
        ? `${key} cannot be both: this is never true`
        : `${key} is always unlike one of them: this is true of every ${key} that is there`,
      suggestion: never ? `${key} in ${both}` : `$not(${key} in ${both})`,
    });
  }
  inference.joined.set(node, known);
}

/**
 * The values that `node` compares with constants, joined by `joiner`. Each part of a chain is collected once,
 * from the left.
 */
function comparisonsOf(node: AstNode, joiner: unknown, inference: Inferred): Map<string, unknown> {
  const inner = node.type === "block" && node.expressions?.length === 1 ? node.expressions[0] : undefined;
  if (inner !== undefined) return comparisonsOf(inner, joiner, inference);
  const denied = argumentOf(node, "negation");
  // `$not(a = "x")` counts as `a != "x"` here.
  if (denied?.type === "binary" && denied.value === "=" && joiner === "or")
    return comparedWith(denied, inference);
  if (node.type !== "binary") return new Map();
  if (node.value === joiner) return inference.joined.get(node) ?? new Map<string, unknown>();
  if (node.value !== (joiner === "and" ? "=" : "!=")) return new Map();
  return comparedWith(node, inference);
}

function comparedWith(node: AstNode, inference: Inferred): Map<string, unknown> {
  const left = node.lhs as AstNode;
  const { constant } = inference.shapeOf(node.rhs as AstNode);
  if (inference.shapeOf(left).place === undefined || constant === undefined) return new Map();
  return new Map([[inference.findings.textOf(left), constant]]);
}

const COMPARISONS: ReadonlySet<unknown> = new Set(["=", "!=", "<", "<=", ">", ">=", "in"]);

/** Notes `a ?? b = c`, which means `a ?? (b = c)`: rarely meant where `a` is no condition. */
export function checkDefault(node: AstNode, then: Shape, inference: Inferred): void {
  const { findings } = inference;
  const { lhs, rhs, type, value } = node.else ?? node;
  const operator = findings.tokenBefore(node);
  if ((operator !== "??" && operator !== "?:") || type !== "binary" || !COMPARISONS.has(value)) return;
  const isTruth = then.kinds.has("boolean") && inference.shapeOf(lhs as AstNode).constant === undefined;
  if (isTruth) return;
  findings.forget(findings.rangeOf(node.else ?? node));
  const [kept, fallback, other] = [node.then, lhs, rhs].map((part) => findings.textOf(part as AstNode));
  findings.add(node, {
    code: "PURSER_EXPR_CONDITION",
    severity: "warning",
    message: `${operator} takes all that follows it, so what is compared is ${fallback} alone`,
    suggestion: `(${kept} ${operator} ${fallback}) ${String(value)} ${other}`,
  });
}
