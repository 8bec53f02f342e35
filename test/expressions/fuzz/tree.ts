// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** A part of an expression that can be rendered and shrunk without knowing its meaning. */
export interface Tree {
  readonly open: string;
  readonly items: readonly Node[];
  readonly separator: string;
  readonly close: string;
  /** Number of items that shrinking must keep. */
  readonly minItems: number;
  /**
   * Whether the part is an expression by itself, so that shrinking may replace an outer expression with it.
   */
  readonly standsAlone: boolean;
}

/** A tree, or a fixed word between trees. */
export type Node = Tree | string;

/** A word that is an expression by itself: a literal, a name. */
export const leaf = (text: string): Tree => tree(text, [], "", "", 0, true);

/** Parts that shrinking must all keep. */
export const fixed = (...items: readonly Node[]): Tree => tree("", items, "", "", items.length, true);

/** A list whose items shrinking may remove, for example a call's arguments; not an expression by itself. */
export const list = (
  open: string,
  separator: string,
  close: string,
  items: readonly Node[],
  minItems = 0,
): Tree => tree(open, items, separator, close, minItems, false);

/** A list that is an expression by itself, for example an array. */
export const listExpression = (
  open: string,
  separator: string,
  close: string,
  items: readonly Node[],
  minItems = 0,
): Tree => tree(open, items, separator, close, minItems, true);

function tree(
  open: string,
  items: readonly Node[],
  separator: string,
  close: string,
  minItems: number,
  standsAlone: boolean,
): Tree {
  return { open, items, separator, close, minItems, standsAlone };
}

export function render(node: Node): string {
  if (typeof node === "string") return node;
  if (node.items.length === 0) return node.open + node.close;
  return node.open + node.items.map(render).join(node.separator) + node.close;
}

const SIMPLE_EXPRESSIONS = ["1", "a", "$", "[]", '"a"', "{}"].map(leaf);

/** Every tree that is smaller by one shrinking step, the largest steps first. */
export function* smallerTrees(whole: Tree): Generator<Tree> {
  if (whole.standsAlone) {
    yield* standaloneParts(whole);
    const length = render(whole).length;
    for (const simple of SIMPLE_EXPRESSIONS) if (simple.open.length < length) yield simple;
  }
  for (let index = 0; index < whole.items.length && whole.items.length > whole.minItems; index++)
    yield { ...whole, items: whole.items.toSpliced(index, 1) };
  for (const [index, item] of whole.items.entries()) {
    if (typeof item === "string") continue;
    for (const smaller of smallerTrees(item)) yield { ...whole, items: whole.items.with(index, smaller) };
  }
}

function* standaloneParts(whole: Tree): Generator<Tree> {
  for (const item of whole.items) {
    if (typeof item === "string") continue;
    if (item.standsAlone) yield item;
    else yield* standaloneParts(item);
  }
}
