// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type AstNode, hasSuffix } from "./ast.ts";

export type Constant = string | number | boolean;

/** The value of a literal text, number, `true` or `false`; undefined for any other node. */
export function constantOf(node: AstNode): Constant | undefined {
  if (hasSuffix(node) || node.keepArray === true) return undefined;
  const { type, value } = node;
  return type === "string" || type === "number" || (type === "value" && typeof value === "boolean")
    ? (value as Constant)
    : undefined;
}

/** The items of an array literal that is not empty and holds only constants; undefined for any other node. */
export function constantsOf(node: AstNode): readonly Constant[] | undefined {
  if (node.type !== "unary" || node.value !== "[" || hasSuffix(node)) return undefined;
  const constants = (node.expressions ?? []).map(constantOf);
  return constants.length > 0 && constants.every((item) => item !== undefined) ? constants : undefined;
}
