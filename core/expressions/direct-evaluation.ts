// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag, AttributePath, AttributeValue } from "../attributes/bag.ts";
import { type AstNode, textOf } from "./jsonata-ast.ts";
import { plainValue } from "./plain-value.ts";

/**
 * Most labels and keys are plain paths or literals: their value is at hand without an interpreter. `done` is false
 * when an array stands in the way, which JSONata maps over.
 */
export type DirectEvaluation = (bag: AttributeBag) => { readonly done: boolean; readonly value?: unknown };

const INTERPRET = { done: false } as const;
const NO_VALUE = { done: true, value: undefined } as const;

/** How to evaluate `ast` without an interpreter; undefined when that takes one. */
export function directEvaluation(ast: AstNode): DirectEvaluation | undefined {
  if (isLiteral(ast)) {
    const literal = { done: true, value: ast.value };
    return () => literal;
  }
  const path = plainPath(ast);
  return path === undefined ? undefined : (bag) => follow(bag, path);
}

function follow(bag: AttributeBag, path: AttributePath): ReturnType<DirectEvaluation> {
  let value = bag as AttributeValue | undefined;
  for (const step of path) {
    if (Array.isArray(value)) return INTERPRET;
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return NO_VALUE;
    value = (value as { readonly [key: string]: AttributeValue | undefined })[step];
  }
  return { done: true, value: plainValue(value) };
}

function isLiteral(ast: AstNode): boolean {
  return ["string", "number", "value"].includes(ast.type) && isBare(ast);
}

/** The names of a path that consists of nothing else. */
function plainPath(ast: AstNode): AttributePath | undefined {
  if (ast.type !== "path" || !isBare(ast) || ast.keepSingletonArray === true) return undefined;
  const steps = ast.steps ?? [];
  const plain = steps.every((step) => step.type === "name" && isBare(step) && step.keepArray !== true);
  return plain ? steps.map(textOf) : undefined;
}

/** Whether nothing is done to the node's value: no filter, no grouping, no binding. */
function isBare(node: AstNode): boolean {
  return [node.stages, node.predicate, node.group, node.focus, node.index].every(
    (part) => part === undefined,
  );
}
