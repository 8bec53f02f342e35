// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AstNode } from "../../syntax/ast.ts";
import type { CallTest } from "../../functions/definition.ts";
import { FUNCTIONS } from "../../functions/functions.ts";
import { formatPath } from "../../manifest/manifest.ts";
import type { Findings } from "../findings.ts";
import type { Shape } from "./kinds.ts";

/** How a test compares its subject with a constant. */
export type TestManner = CallTest | "pattern" | "order";

export interface Operand {
  readonly shape: Shape;
  /** The operand in the tree; absent for a value from the context or from the left of `~>`. */
  readonly node?: AstNode;
}

/** A part of an expression that tests whether a value equals, contains or matches a constant. */
export interface TextTest {
  /** The whole test. */
  readonly node: AstNode;
  readonly manner: TestManner;
  /** The operator, or the function's name. */
  readonly written: string;
  readonly subject: Operand;
  /** The constants that the subject is compared with; each item of a list counts as one. */
  readonly constants: readonly Operand[];
}

/** The test that a call makes, if any. */
export function testOfCall(node: AstNode, name: string, operands: readonly Operand[]): TextTest | undefined {
  const [subject, constant] = operands;
  const manner = FUNCTIONS.get(name)?.checks?.test;
  if (manner === undefined || subject === undefined || constant === undefined) return undefined;
  const isPattern = constant.shape.pattern !== undefined;
  return { node, manner: isPattern ? "pattern" : manner, written: name, subject, constants: [constant] };
}

/** The test that a comparison or an `in` makes; its subject is the side that is no constant. */
export function testOfOperator(node: AstNode, lhs: Shape, rhs: Shape): TextTest | undefined {
  const left: Operand = { shape: lhs, node: node.lhs as AstNode };
  const right: Operand = { shape: rhs, node: node.rhs as AstNode };
  const written = String(node.value);
  if (written === "in") {
    const items = rhs.elements;
    if (items === undefined) return { node, manner: "equal", written, subject: left, constants: [right] };
    const nodes = right.node?.type === "unary" ? (right.node.expressions ?? []) : [];
    const constants = items.map((shape, index) => {
      const item = nodes[index];
      return item === undefined ? { shape } : { shape, node: item };
    });
    return { node, manner: "equal", written, subject: left, constants };
  }
  const manner = written === "=" || written === "!=" ? "equal" : "order";
  const flipped = lhs.constant !== undefined && rhs.constant === undefined;
  const [subject, constant] = flipped ? [right, left] : [left, right];
  return { node, manner, written, subject, constants: [constant] };
}

/** The subject as an expression would write it; undefined when the subject does not occur in the source. */
export function subjectText({ shape, node }: Operand, findings: Findings): string | undefined {
  if (node !== undefined) return findings.textOf(node);
  return shape.place === undefined ? undefined : formatPath(shape.place);
}
