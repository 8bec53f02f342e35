// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type AstNode, hasSuffix } from "./ast.ts";

export type Constant = string | number | boolean;

/** The value of a text, a number, `true` or `false` that is written out; undefined for any other node. */
export function constantOf(node: AstNode): Constant | undefined {
  if (hasSuffix(node) || node.keepArray === true) return undefined;
  const { type, value } = node;
  return type === "string" || type === "number" || (type === "value" && typeof value === "boolean")
    ? (value as Constant)
    : undefined;
}

/** The members of an array that is written out, when there are some and all are constants. */
export function constantsOf(node: AstNode): readonly Constant[] | undefined {
  if (node.type !== "unary" || node.value !== "[" || hasSuffix(node)) return undefined;
  const constants = (node.expressions ?? []).map(constantOf);
  return constants.length > 0 && constants.every((item) => item !== undefined) ? constants : undefined;
}
