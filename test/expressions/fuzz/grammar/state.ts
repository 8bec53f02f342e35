// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Draw } from "../draw.ts";
import { NAMES_BY_TYPE } from "../vocabulary.ts";
import type { Tree } from "../tree.ts";

/** The type that an expression aims to give. Not guaranteed: some expressions are wrong on purpose. */
export type Sort = keyof typeof NAMES_BY_TYPE | "function";

export interface Variable {
  readonly name: string;
  readonly sort: Sort;
}

/** State and productions that a production may use: the only link between productions. */
export interface Grammar {
  readonly draw: Draw;
  readonly scope: readonly Variable[];
  /** An expression of that type; `scope` defaults to the current scope. */
  expression(sort: Sort, scope?: readonly Variable[]): Tree;
}

const DATA_SORTS = Object.keys(NAMES_BY_TYPE) as (keyof typeof NAMES_BY_TYPE)[];

export const anySort = (draw: Draw): Sort => (draw.odds(8) ? "function" : draw.pick(DATA_SORTS));

const VARIABLE_NAMES = ["a", "b", "i", "v", "acc", "item", "n", "o", "é", "constructor"];

export function freshVariable(draw: Draw, sort: Sort): Variable {
  return { name: draw.pick(VARIABLE_NAMES), sort };
}

/** The innermost variable of that type, if any; shadowed variables are skipped. */
export function variableOf(draw: Draw, scope: readonly Variable[], sort: Sort): Variable | undefined {
  const seen = new Map(scope.map((variable) => [variable.name, variable]));
  const fitting = [...seen.values()].filter((variable) => sort === "any" || variable.sort === sort);
  return fitting.length === 0 ? undefined : draw.pick(fitting);
}
