// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Draw } from "../draw.ts";
import { NAMES_BY_TYPE } from "../vocabulary.ts";
import type { Tree } from "../tree.ts";

/** What an expression should give. A wish, not a promise: some are broken on purpose. */
export type Sort = keyof typeof NAMES_BY_TYPE | "function";

export interface Variable {
  readonly name: string;
  readonly sort: Sort;
}

/** What a production may draw on; the only way from one production to the others. */
export interface Grammar {
  readonly draw: Draw;
  readonly scope: readonly Variable[];
  /** An expression of that sort; in `scope` where given, else in the present one. */
  expression(sort: Sort, scope?: readonly Variable[]): Tree;
}

const DATA_SORTS = Object.keys(NAMES_BY_TYPE) as (keyof typeof NAMES_BY_TYPE)[];

export const anySort = (draw: Draw): Sort => (draw.odds(8) ? "function" : draw.pick(DATA_SORTS));

const VARIABLE_NAMES = ["a", "b", "i", "v", "acc", "item", "n", "o", "é", "constructor"];

export function freshVariable(draw: Draw, sort: Sort): Variable {
  return { name: draw.pick(VARIABLE_NAMES), sort };
}

/** The innermost variable of that sort, if any; a shadowed one is no longer seen. */
export function variableOf(draw: Draw, scope: readonly Variable[], sort: Sort): Variable | undefined {
  const seen = new Map(scope.map((variable) => [variable.name, variable]));
  const fitting = [...seen.values()].filter((variable) => sort === "any" || variable.sort === sort);
  return fitting.length === 0 ? undefined : draw.pick(fitting);
}
