// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** A piece of an expression that renders to text and can be made smaller without knowing what it means. */
export interface Tree {
  readonly open: string;
  readonly items: readonly Node[];
  readonly separator: string;
  readonly close: string;
  /** As many items as must stay. */
  readonly minItems: number;
  /** Whether it stands on its own, so that it may take the place of any expression around it. */
  readonly standsAlone: boolean;
}

/** Bare strings are fixed words between the parts. */
export type Node = Tree | string;

/** A word that stands on its own: a literal, a name. */
export const leaf = (text: string): Tree => tree(text, [], "", "", 0, true);

/** Parts that must all stay. */
export const fixed = (...items: readonly Node[]): Tree => tree("", items, "", "", items.length, true);

/** A list whose items may go, for example a call's arguments; not an expression by itself. */
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

/** Every tree that is one step smaller, the boldest cuts first. */
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
