// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AstNode } from "../../syntax/ast.ts";
import type { Inferred } from "./inferred.ts";
import { always, isAnything, isOnly, nounOf, overlap, type Shape } from "./kinds.ts";

/** One side of a comparison. */
interface Operand {
  readonly shape: Shape;
  readonly text: string;
}

const NEVER_ABSENT = always("boolean");

/**
 * Notes `=` and `!=` between values of different types: they do not fail, but their outcome is always the
 * same.
 */
export function checkEquality(node: AstNode, lhs: Shape, rhs: Shape, inference: Inferred): Shape {
  const { findings } = inference;
  const [left, right] = operandsOf(node, lhs, rhs, inference);
  const equal = node.value === "=";
  const nullSide = [left, right].find(({ shape }) => shape.constant === null);
  if (nullSide !== undefined) {
    const { text, shape } = nullSide === left ? right : left;
    const isNull = shape.kinds.has("null");
    findings.add(node, {
      code: "PURSER_EXPR_TYPE",
      severity: isNull ? "warning" : "error",
      message: `what is absent is not null: this is false when ${text} is absent`,
      suggestion: equal ? `$not($exists(${text}))` : `$exists(${text})`,
    });
    return NEVER_ABSENT;
  }
  if (!overlap(lhs.kinds, rhs.kinds)) {
    findings.add(node, {
      code: "PURSER_EXPR_TYPE",
      severity: "error",
      message: `${left.text} is ${nounOf(lhs.kinds)} and ${right.text} is ${nounOf(rhs.kinds)}: this is always ${equal ? "false" : "true of what is there"}`,
      ...suggested(conversion(node, left, right)),
    });
    return NEVER_ABSENT;
  }
  const list = [left, right].find(({ shape }) => isCalledList(shape));
  const text = list === left ? right : left;
  if (list !== undefined && typeof text.shape.constant === "string") {
    const among = `${text.text} in ${list.text}`;
    findings.add(node, {
      code: "PURSER_EXPR_TYPE",
      severity: "warning",
      message: `${list.text} may be a list, which is never equal to one text`,
      suggestion: equal ? among : `$not(${among})`,
    });
  }
  if (lhs.constant === undefined || rhs.constant === undefined) return NEVER_ABSENT;
  const constant = (lhs.constant === rhs.constant) === equal;
  findings.add(node, {
    code: "PURSER_EXPR_CONSTANT",
    severity: "warning",
    message: `this is always ${constant}, whatever the request`,
  });
  return { ...NEVER_ABSENT, constant };
}

/** Notes `<` and its like on anything but two numbers or two texts, on which they fail (T2009, T2010). */
export function checkOrder(node: AstNode, lhs: Shape, rhs: Shape, inference: Inferred): Shape {
  const { findings } = inference;
  const [left, right] = operandsOf(node, lhs, rhs, inference);
  const shape: Shape = { ...always("boolean"), optional: lhs.optional || rhs.optional };
  const orderless = [left, right].find(
    ({ shape: { kinds } }) => !kinds.has("number") && !kinds.has("string"),
  );
  if (orderless !== undefined) {
    findings.add(node, {
      code: "PURSER_EXPR_TYPE",
      severity: "error",
      message: `${orderless.text} is ${nounOf(orderless.shape.kinds)}, which ${JSON.stringify(node.value)} cannot compare (T2010)`,
    });
    return shape;
  }
  if (
    !isAnything(lhs) &&
    !isAnything(rhs) &&
    !["number" as const, "string" as const].some((kind) => lhs.kinds.has(kind) && rhs.kinds.has(kind))
  ) {
    findings.add(node, {
      code: "PURSER_EXPR_TYPE",
      severity: "error",
      message: `${left.text} is ${nounOf(lhs.kinds)} and ${right.text} is ${nounOf(rhs.kinds)}: ${JSON.stringify(node.value)} fails on them (T2009)`,
      ...suggested(conversion(node, left, right)),
    });
    return shape;
  }
  const numeral = [left, right].find((side) => isNumeral(side.shape));
  const other = numeral === left ? right : left;
  const textual = ["STRING", "STRING_MAP"].includes(other.shape.declaration?.type ?? "");
  if (numeral !== undefined && textual) {
    const suggestion = ordered(node, left, right, (side) =>
      side === numeral ? String(numeral.shape.constant) : `$number(${side.text})`,
    );
    findings.add(node, {
      code: "PURSER_EXPR_TYPE",
      severity: "warning",
      message: `this compares as text, letter by letter: "9" is more than "10"`,
      suggestion,
    });
  }
  return shape;
}

/**
 * Notes risky uses of `in`, which looks for an equal item of a list and takes any other right side as a list
 * of one.
 */
export function checkMembership(node: AstNode, lhs: Shape, rhs: Shape, inference: Inferred): Shape {
  const { findings } = inference;
  const [left, right] = operandsOf(node, lhs, rhs, inference);
  const items = rhs.kinds.has("array") ? rhs.items : rhs.kinds;
  if (items !== undefined && !overlap(lhs.kinds, items)) {
    const isMap = isOnly(rhs, "object");
    findings.add(node, {
      code: "PURSER_EXPR_TYPE",
      severity: "error",
      message: isMap
        ? `${right.text} is an object, not a list: this is always false`
        : `${left.text} is ${nounOf(lhs.kinds)} and can be none of ${right.text}: this is always false`,
      ...(isMap && typeof lhs.constant === "string"
        ? { suggestion: `$exists(${right.text}.${JSON.stringify(lhs.constant)})` }
        : suggested(rhs.pattern === undefined ? undefined : conversion(node, left, right))),
    });
  } else if (isOnly(rhs, "string") && rhs.place !== undefined) {
    findings.add(node, {
      code: "PURSER_EXPR_TYPE",
      severity: "warning",
      message: `${right.text} is one text, and "in" asks whether ${left.text} is all of it`,
      suggestion: `$contains(${right.text}, ${left.text})`,
    });
  }
  return NEVER_ABSENT;
}

function operandsOf(
  node: AstNode,
  lhs: Shape,
  rhs: Shape,
  { findings }: Inferred,
): readonly [Operand, Operand] {
  return [
    { shape: lhs, text: findings.textOf(node.lhs as AstNode) },
    { shape: rhs, text: findings.textOf(node.rhs as AstNode) },
  ];
}

/** The comparison that the author probably meant. */
function conversion(node: AstNode, left: Operand, right: Operand): string | undefined {
  const pattern = [left, right].find(({ shape }) => shape.pattern !== undefined);
  if (pattern !== undefined) {
    const matching = `$contains(${(pattern === left ? right : left).text}, ${pattern.text})`;
    return node.value === "=" || node.value === "in"
      ? matching
      : node.value === "!="
        ? `$not(${matching})`
        : undefined;
  }
  const list = [left, right].find(({ shape }) => isOnly(shape, "array"));
  if (list !== undefined) {
    const among = `${(list === left ? right : left).text} in ${list.text}`;
    return node.value === "=" ? among : node.value === "!=" ? `$not(${among})` : undefined;
  }
  const numeric = [left, right].find(({ shape }) => isOnly(shape, "number"));
  const textual = [left, right].find(({ shape }) => isOnly(shape, "string"));
  if (numeric !== undefined && textual !== undefined) {
    if (isNumeral(textual.shape))
      return ordered(node, left, right, (side) =>
        side === textual ? String(textual.shape.constant) : side.text,
      );
    if (textual.shape.constant !== undefined) return undefined;
    const convert = textual.shape.declaration?.type === "TIMESTAMP" ? "$toMillis" : "$number";
    return ordered(node, left, right, (side) => (side === textual ? `${convert}(${side.text})` : side.text));
  }
  const truth = [left, right].find(({ shape }) => isOnly(shape, "boolean"));
  if (truth?.shape.constant !== undefined && textual !== undefined && textual.shape.constant === undefined)
    return ordered(node, left, right, (side) =>
      side === truth ? JSON.stringify(String(truth.shape.constant)) : side.text,
    );
  if (truth !== undefined && (textual?.shape.constant === "true" || textual?.shape.constant === "false"))
    return ordered(node, left, right, (side) =>
      side === textual ? String(textual.shape.constant) : side.text,
    );
  return undefined;
}

function ordered(node: AstNode, left: Operand, right: Operand, write: (side: Operand) => string): string {
  return `${write(left)} ${String(node.value)} ${write(right)}`;
}

/** Names that are lists by custom in a token's claims and the like; `in` is right of a single text too. */
const LISTS: ReadonlySet<string> = new Set([
  "roles",
  "groups",
  "permissions",
  "scopes",
  "entitlements",
  "amr",
  "aud",
]);

/** Whether a value's name says that it is a list by custom. */
export function isCalledList({ place = [], declaration }: Shape): boolean {
  return declaration?.type === "ANY" && LISTS.has(place.at(-1) ?? "");
}

/** Whether the constant is a number in quotes. */
function isNumeral({ constant }: Shape): boolean {
  return typeof constant === "string" && /^-?(0|[1-9]\d*)(\.\d+)?$/.test(constant);
}

function suggested(suggestion: string | undefined): { readonly suggestion?: string } {
  return suggestion === undefined ? {} : { suggestion };
}
