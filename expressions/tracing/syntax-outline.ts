// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { DataPath } from "../data.ts";
import { type AstNode, childrenOf, hasSuffix, textOf } from "../syntax/ast.ts";
import { type SourceRange, sourceRanges } from "../syntax/source-ranges.ts";

/**
 * The parts of an expression that are worth looking at, as a reader sees them: a plain path is one part, a call has no
 * part for its function's name, and `??` has the two sides that stand in the source and not the copy that the parser makes.
 */
export interface OutlineNode {
  /** Index of the part in `outlineParts`, outermost and leftmost first. */
  readonly index: number;
  readonly kind: string;
  readonly start: number;
  readonly end: number;
  /** The names of a path that has no other steps. */
  readonly path?: DataPath;
  /** Whether a predicate or a group is written after it: its value is not the one that its parts give. */
  readonly hasSuffix: boolean;
  readonly children: readonly OutlineNode[];
}

export interface SyntaxOutline {
  readonly root: OutlineNode;
  /** The part that shows the value of a node of the tree. */
  readonly partOf: ReadonlyMap<AstNode, OutlineNode>;
}

/** To be called before anything is done to the tree. */
export function outlineOf(ast: AstNode, source: string): SyntaxOutline {
  const ranges = sourceRanges(ast, source);
  const partOf = new Map<AstNode, OutlineNode>();
  let next = 0;
  const outline = (given: AstNode, within: SourceRange): OutlineNode => {
    // A call in a function's last place is wrapped by the parser, to be made when the function has returned.
    const node = given.thunk === true && given.body !== undefined ? given.body : given;
    const index = next++;
    // A node without a place of its own is shown at the place of the part around it.
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

/** All of an outline, each before its parts. */
export function outlineParts(root: OutlineNode): readonly OutlineNode[] {
  return [root, ...root.children.flatMap(outlineParts)];
}

function namesOf({ type, steps = [] }: AstNode): DataPath | undefined {
  return type === "path" && steps.every((step) => step.type === "name") ? steps.map(textOf) : undefined;
}

/** `??` and `?:` are conditions whose token the tree does not keep. */
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
  // The condition is a copy of `then`, and evaluated first.
  if (kind === "?:") return present([node.condition, node.else]);
  if (node.type === "path") return (node.steps ?? []).flatMap(partsOfStep).concat(filtersOf(node));
  if (node.type === "function" && node.procedure?.type === "variable")
    return [...(node.arguments ?? []), ...filtersOf(node)];
  if (node.type === "lambda") return present([node.body]);
  // A name that is bound is no value.
  if (node.type === "bind") return present([node.rhs]);
  return childrenOf(node);
}

/** A name by itself says nothing that its path does not say. */
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
