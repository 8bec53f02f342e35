// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type AstNode, textOf } from "./ast.ts";

/** A step in the parser's tree, with the flags that make the path a tuple stream. */
export interface Step extends AstNode {
  readonly tuple?: boolean;
  readonly consarray?: boolean;
  readonly ancestor?: { readonly label: string };
}

export interface Path extends AstNode {
  readonly tuple?: boolean;
}

export function hasExtras(node: AstNode): boolean {
  return (
    node.group !== undefined ||
    node.keepSingletonArray === true ||
    node.keepArray === true ||
    node.predicate !== undefined
  );
}

export function isPlainName(step: Step): boolean {
  return (
    step.type === "name" &&
    step.stages === undefined &&
    !hasExtras(step) &&
    step.tuple !== true &&
    step.focus === undefined &&
    step.index === undefined
  );
}

/** The names of a path that consists of plain names; undefined for any other path. */
export function plainNames(node: Path): readonly string[] | undefined {
  if (node.type !== "path" || hasExtras(node)) return undefined;
  const steps = (node.steps ?? []) as readonly Step[];
  return steps.every(isPlainName) ? steps.map(textOf) : undefined;
}

/** The names of a path that consists of plain names and ends with `[]`; undefined for any other path. */
export function namesToList(node: Path): readonly string[] | undefined {
  const steps = (node.steps ?? []) as readonly Step[];
  const last = steps[steps.length - 1];
  if (last?.keepArray !== true || node.group !== undefined || node.predicate !== undefined) return undefined;
  const plain = [...steps.slice(0, -1), { ...last, keepArray: false }];
  return plain.every(isPlainName) ? steps.map(textOf) : undefined;
}

export function namesAfterVariable(node: Path): readonly string[] | undefined {
  const [first, ...rest] = (node.steps ?? []) as readonly Step[];
  if (hasExtras(node) || first?.type !== "variable" || rest.length === 0) return undefined;
  if (
    first.stages !== undefined ||
    hasExtras(first) ||
    first.tuple === true ||
    first.focus !== undefined ||
    first.index !== undefined
  )
    return undefined;
  return rest.every(isPlainName) ? rest.map(textOf) : undefined;
}

export function countPlainNames(steps: readonly Step[]): number {
  const index = steps.findIndex((step) => !isPlainName(step));
  return index < 0 ? steps.length : index;
}

/** The labels of ancestors that a nested path of the step passes on. */
export function labelsIn(step: Step): string[] {
  const inner = step.type === "block" ? (step.expressions ?? []).slice(-1) : (step.steps ?? []);
  return [
    ...(step.ancestor === undefined ? [] : [step.ancestor.label]),
    ...(inner as readonly Step[]).flatMap((part) => [
      ...labelsIn(part),
      ...[part.focus, part.index].filter((name) => name !== undefined),
    ]),
  ];
}
