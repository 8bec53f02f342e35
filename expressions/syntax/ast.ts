// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * The syntax tree that the jsonata package makes (2.2.2), as far as Purser reads it. Its own types describe the tree
 * before the last pass, in which paths are flattened into steps.
 */
export interface AstNode {
  type: string;
  /** A name, an operator, a literal, or a regular expression. */
  value?: unknown;
  /** Where the node's token ENDS in the source; absent on nodes that the parser made up. */
  position?: number;
  /** path */
  readonly steps?: readonly AstNode[];
  /** block, and the array constructor */
  readonly expressions?: readonly AstNode[];
  /** function and partial: values; lambda: parameters */
  arguments?: readonly AstNode[];
  procedure?: AstNode;
  /** lambda */
  readonly body?: AstNode;
  /** binary, bind, apply; the object constructor has pairs */
  readonly lhs?: AstNode | readonly AstPair[];
  readonly rhs?: AstNode;
  /** unary minus */
  readonly expression?: AstNode;
  /** condition */
  readonly condition?: AstNode;
  readonly then?: AstNode;
  readonly else?: AstNode;
  /** transform */
  readonly pattern?: AstNode;
  readonly update?: AstNode;
  readonly delete?: AstNode;
  /** sort */
  readonly terms?: readonly { readonly expression: AstNode }[];
  /** `[...]` after a step of a path, and after anything else */
  readonly stages?: readonly AstStage[];
  readonly predicate?: readonly AstStage[];
  /** `{...}` after anything */
  readonly group?: { readonly lhs: readonly AstPair[]; readonly position?: number };
  /** `[]` after a step, and after some step of a path: one result stays an array. */
  readonly keepArray?: boolean;
  readonly keepSingletonArray?: boolean;
  /** `@$name` and `#$name` on a step */
  readonly focus?: string;
  readonly index?: string;
  /** A lambda that the parser made of a call in a lambda's last place. */
  readonly thunk?: boolean;
}

export type AstPair = readonly [key: AstNode, value: AstNode];

export interface AstStage {
  readonly type: "filter" | "index";
  readonly expr?: AstNode;
  /** The name that an `index` stage binds. */
  value?: unknown;
  /** Where the `[` or `#` ends. */
  readonly position?: number;
}

/** Whether a predicate or a group is written after a node: its value is no longer what the node alone says. */
export function hasSuffix({ predicate, group }: AstNode): boolean {
  return predicate !== undefined || group !== undefined;
}

/** The name of the variable or function that a node is; undefined for any other node, and when a suffix changes it. */
export function variableName(node: AstNode | undefined): string | undefined {
  return node?.type === "variable" && !hasSuffix(node) ? textOf(node) : undefined;
}

/** The nodes directly within `node`, in the order of the source as far as the tree keeps it. */
export function childrenOf(node: AstNode): AstNode[] {
  const children: (AstNode | undefined)[] = [
    ...(node.steps ?? []),
    node.procedure,
    ...(node.arguments ?? []),
    ...(node.expressions ?? []),
    ...(isPairs(node.lhs) ? node.lhs.flat() : [node.lhs]),
    node.rhs,
    node.expression,
    node.condition,
    node.then,
    node.else,
    node.body,
    node.pattern,
    node.update,
    node.delete,
    ...(node.terms ?? []).map((term) => term.expression),
    ...[...(node.stages ?? []), ...(node.predicate ?? [])].map((stage) => stage.expr),
    ...(node.group?.lhs ?? []).flat(),
  ];
  return children.filter((child) => child !== undefined);
}

/** Calls `visit` on `node` and everything within it, outermost first. */
export function walk(node: AstNode, visit: (node: AstNode) => void): void {
  visit(node);
  for (const child of childrenOf(node)) walk(child, visit);
}

export function isPairs(value: AstNode["lhs"]): value is readonly AstPair[] {
  return Array.isArray(value);
}

/** The name of a name, a variable or a binding. */
export function textOf(node: { readonly value?: unknown }): string {
  return typeof node.value === "string" ? node.value : "";
}

/** Where the token of a name, a variable or a string begins in `source`. */
export function startOf(node: AstNode, source: string): number {
  const end = node.position ?? 0;
  const text = textOf(node);
  if (node.type === "variable") return Math.max(0, end - text.length - 1);
  const last = source[end - 1];
  if (last === "`") return end - text.length - 2;
  if ((last === '"' || last === "'") && !source.slice(0, end).endsWith(text))
    return openingQuote(source, end - 1);
  return Math.max(0, end - text.length);
}

/** The quote that opens the string which the one at `closing` closes: inside, its like is always escaped. */
function openingQuote(source: string, closing: number): number {
  for (let at = closing - 1; at >= 0; at--) {
    if (source[at] !== source[closing]) continue;
    let backslashes = 0;
    while (source[at - 1 - backslashes] === "\\") backslashes++;
    if (backslashes % 2 === 0) return at;
  }
  return 0;
}
