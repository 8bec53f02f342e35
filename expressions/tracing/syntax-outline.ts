// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { DataPath } from "../data.ts";
import { type AstNode, childrenOf, hasSuffix, textOf } from "../syntax/ast.ts";
import { type SourceRange, sourceRanges } from "../syntax/source-ranges.ts";

/**
 * The parts of an expression that a trace shows, as a reader sees them: a plain path is one part, a call has
 * no part for its function's name, and `??` has its two sides in the source, without the copy that the parser
 * makes.
 */
export interface OutlineNode {
  /** Index of the part in `outlineParts`, outermost and leftmost first. */
  readonly index: number;
  readonly kind: string;
  readonly start: number;
  readonly end: number;
  /** The names of a path that consists of plain names. */
  readonly path?: DataPath;
  /** Whether a predicate or a group follows the part: its value is then not the value of its parts. */
  readonly hasSuffix: boolean;
  readonly children: readonly OutlineNode[];
}

export interface SyntaxOutline {
  readonly root: OutlineNode;
  /** The outline part that shows the value of each tree node. */
  readonly partOf: ReadonlyMap<AstNode, OutlineNode>;
}

/** Makes the outline of a tree; call it before an interpreter changes the tree. */
export function outlineOf(ast: AstNode, source: string): SyntaxOutline {
  const ranges = sourceRanges(ast, source);
  const partOf = new Map<AstNode, OutlineNode>();
  let next = 0;
  const outline = (given: AstNode, within: SourceRange): OutlineNode => {
    // The parser wraps a tail call in a lambda (thunk).
    const node = given.thunk === true && given.body !== undefined ? given.body : given;
    const index = next++;
    // A node without a position is shown at the position of its parent.
    const { start, end } = ranges.get(node) ?? within;
    const kind = kindOf(node, source);
    const children = partsOf(node, kind).map((part) => outline(part, { start, end }));
    const path = namesOf(node);
    const part = {
      index,
      kind,
      start,
      end,
      children,
      hasSuffix: hasSuffix(node),
      ...(path === undefined ? {} : { path }),
    };
    partOf.set(node, part);
    return part;
  };
  return { root: outline(ast, { start: 0, end: source.length }), partOf };
}

/** All parts of an outline, each before its children. */
export function outlineParts(root: OutlineNode): readonly OutlineNode[] {
  return [root, ...root.children.flatMap(outlineParts)];
}

function namesOf({ type, steps = [] }: AstNode): DataPath | undefined {
  return type === "path" && steps.every((step) => step.type === "name") ? steps.map(textOf) : undefined;
}

/** The kind of a part. `??` and `?:` are conditions in the tree, which does not keep their token. */
function kindOf(node: AstNode, source: string): string {
  switch (node.type) {
    case "condition": {
      const token = source.slice(Math.max(0, (node.position ?? 0) - 2), node.position ?? 0);
      return token === "??" || token === "?:" ? token : "?";
    }
    case "binary":
      return textOf(node);
    case "apply":
      return "~>";
    case "bind":
      return ":=";
    case "unary":
      return { "-": "minus", "[": "array", "{": "object" }[textOf(node)] ?? "unary";
    case "function":
      return node.procedure?.type === "variable" ? `$${textOf(node.procedure)}` : "call";
    case "string":
    case "number":
    case "value":
    case "regex":
      return "literal";
    default:
      return node.type;
  }
}

function partsOf(node: AstNode, kind: string): readonly AstNode[] {
  if (kind === "??") return present([node.condition?.arguments?.[0], node.else]);
  // The condition is a copy of `then`, and is evaluated first.
  if (kind === "?:") return present([node.condition, node.else]);
  if (node.type === "path") return (node.steps ?? []).flatMap(partsOfStep).concat(filtersOf(node));
  if (node.type === "function" && node.procedure?.type === "variable")
    return [...(node.arguments ?? []), ...filtersOf(node)];
  if (node.type === "lambda") return present([node.body]);
  // The name of a binding is not a value.
  if (node.type === "bind") return present([node.rhs]);
  return childrenOf(node);
}

/** Parts of a path's step. A name step has none: its path shows it. */
function partsOfStep(step: AstNode): readonly AstNode[] {
  if (step.type === "name" || step.type === "wildcard" || step.type === "descendant") return filtersOf(step);
  if (step.type === "sort") return childrenOf(step);
  const filters = new Set((step.stages ?? []).map(({ expr }) => expr));
  return [step, ...present([...filters])];
}

function filtersOf(node: AstNode): AstNode[] {
  const filters = [...(node.stages ?? []), ...(node.predicate ?? [])].map(({ expr }) => expr);
  return present([...filters, ...(node.group?.lhs ?? []).flat()]);
}

function present(nodes: readonly (AstNode | undefined)[]): AstNode[] {
  return nodes.filter((node) => node !== undefined);
}
