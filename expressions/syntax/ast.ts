// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * The syntax tree of the jsonata package (2.2.2), as far as Purser reads it. The package's own types describe
 * the tree before its last pass, which flattens paths into steps.
 */
export interface AstNode {
  type: string;
  /** A name, an operator, a literal, or a regular expression. */
  value?: unknown;
  /** Offset of the END of the node's token in the source; absent on nodes that the parser generates. */
  position?: number;
  /** of a path */
  readonly steps?: readonly AstNode[];
  /** of a block, and of an array constructor */
  readonly expressions?: readonly AstNode[];
  /** of a call and a partial application: arguments; of a lambda: parameters */
  arguments?: readonly AstNode[];
  procedure?: AstNode;
  /** of a lambda */
  readonly body?: AstNode;
  /** of a binary operator, bind and apply; of an object constructor: pairs */
  readonly lhs?: AstNode | readonly AstPair[];
  readonly rhs?: AstNode;
  /** of a unary minus */
  readonly expression?: AstNode;
  /** of a condition */
  readonly condition?: AstNode;
  readonly then?: AstNode;
  readonly else?: AstNode;
  /** of a transform */
  readonly pattern?: AstNode;
  readonly update?: AstNode;
  readonly delete?: AstNode;
  /** of a sort */
  readonly terms?: readonly { readonly expression: AstNode }[];
  /** `[...]` after a step of a path, and after any other node */
  readonly stages?: readonly AstStage[];
  readonly predicate?: readonly AstStage[];
  /** `{...}` after a node */
  readonly group?: { readonly lhs: readonly AstPair[]; readonly position?: number };
  /** `[]` after a step: a single result stays an array. A path has it if any of its steps does. */
  readonly keepArray?: boolean;
  readonly keepSingletonArray?: boolean;
  /** `@$name` and `#$name` after a step */
  readonly focus?: string;
  readonly index?: string;
  /** True for a lambda that the parser wraps around a tail call. */
  readonly thunk?: boolean;
}

export type AstPair = readonly [key: AstNode, value: AstNode];

export interface AstStage {
  readonly type: "filter" | "index";
  readonly expr?: AstNode;
  /** The name that an `index` stage binds. */
  value?: unknown;
  /** Offset of the end of the `[` or `#`. */
  readonly position?: number;
}

/** Whether a predicate or a group follows a node: the node's value is then not that of the node alone. */
export function hasSuffix({ predicate, group }: AstNode): boolean {
  return predicate !== undefined || group !== undefined;
}

/** The name of a variable or function node; undefined for any other node, and for a node with a suffix. */
export function variableName(node: AstNode | undefined): string | undefined {
  return node?.type === "variable" && !hasSuffix(node) ? textOf(node) : undefined;
}

/** The direct child nodes of `node`, in the order of the source as far as the tree keeps it. */
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

/** Calls `visit` on `node` and all nodes within it, outermost first. */
export function walk(node: AstNode, visit: (node: AstNode) => void): void {
  visit(node);
  for (const child of childrenOf(node)) walk(child, visit);
}

export function isPairs(value: AstNode["lhs"]): value is readonly AstPair[] {
  return Array.isArray(value);
}

/** The name of a name, variable or binding node. */
export function textOf(node: { readonly value?: unknown }): string {
  return typeof node.value === "string" ? node.value : "";
}

/** Offset of the start of a name, variable or string token in `source`. */
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

/**
 * Offset of the quote that opens the string whose closing quote is at `closing`. Within a string its quote is
 * always escaped.
 */
function openingQuote(source: string, closing: number): number {
  for (let at = closing - 1; at >= 0; at--) {
    if (source[at] !== source[closing]) continue;
    let backslashes = 0;
    while (source[at - 1 - backslashes] === "\\") backslashes++;
    if (backslashes % 2 === 0) return at;
  }
  return 0;
}
