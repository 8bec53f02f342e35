// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Draw } from "../draw.ts";
import { fixed, leaf, type Tree } from "../tree.ts";
import type { OUTER_BINDINGS } from "../vocabulary.ts";
import { call } from "./calls.ts";
import { application, block, chain, lambda, recursion, transform } from "./lambdas.ts";
import { literal, terminal } from "./literals.ts";
import { alternative, operation } from "./operators.ts";
import { order, path, predicate } from "./paths.ts";
import { anySort, type Grammar, type Sort, type Variable } from "./state.ts";

const OUTER_SCOPE: readonly Variable[] = [
  { name: "ext", sort: "number" },
  { name: "text", sort: "string" },
  { name: "list", sort: "any" },
  { name: "record", sort: "object" },
] satisfies readonly { name: keyof typeof OUTER_BINDINGS; sort: Sort }[];

/** Most productions in an expression; after them only terminals follow. */
const FUEL_MAX = 24;
const DEPTH_MAX = 5;

export function drawExpression(draw: Draw): Tree {
  return new Expressions(draw).expression("any");
}

class Expressions implements Grammar {
  readonly draw: Draw;
  scope: readonly Variable[] = OUTER_SCOPE;
  #fuel: number;
  #depth: number;

  constructor(draw: Draw) {
    this.draw = draw;
    this.#fuel = draw.int(2, FUEL_MAX);
    this.#depth = draw.int(1, DEPTH_MAX);
  }

  expression(wanted: Sort, scope?: readonly Variable[]): Tree {
    const sort = this.draw.odds(5) ? anySort(this.draw) : wanted;
    const outside = this.scope;
    if (scope !== undefined) this.scope = scope;
    this.#fuel--;
    this.#depth--;
    const made = this.#depth < 0 || this.#fuel < 0 ? terminal(this, sort) : this.#compound(sort);
    this.#depth++;
    this.scope = outside;
    return made;
  }

  #compound(sort: Sort): Tree {
    const { draw } = this;
    const kind = draw.int(0, 99);
    if (sort === "function")
      return kind < 60 ? this.#lambda() : kind < 75 ? operation(this, sort) : literal(this, sort);
    if (kind < 8) return terminal(this, sort);
    if (kind < 34) return path(this, sort);
    if (kind < 54) return operation(this, sort);
    if (kind < 75) return call(this, sort);
    if (kind < 81) return alternative(this, sort);
    if (kind < 86) return block(this, sort);
    if (kind < 90) return application(this, sort);
    if (kind < 92) return recursion(this, sort);
    if (kind < 95) return chain(this, sort);
    if (kind < 96) return transform(this);
    return this.#followed(sort);
  }

  #lambda(): Tree {
    const parameters = this.draw.times(0, 3, () => anySort(this.draw));
    return lambda(this, parameters, anySort(this.draw));
  }

  /** Any expression, followed by a filter, an order-by, [] or a comment. */
  #followed(sort: Sort): Tree {
    const { draw } = this;
    const inner = this.expression(sort);
    switch (draw.int(0, 4)) {
      case 0:
        return fixed(inner, "[]");
      case 1:
        return fixed("(", inner, ")", order(this, this.scope));
      case 2:
        return fixed("/* a comment */ ", inner, "\n\t");
      case 3:
        return fixed(
          draw.pick(['/a/("', '/(b)|X/("']),
          draw.pick(["banana", "", "aXb"]),
          '")',
          leaf(draw.pick([".match", ".next()", ".start", ""])),
        );
      default:
        return fixed("(", inner, ")", predicate(this, this.scope));
    }
  }
}
