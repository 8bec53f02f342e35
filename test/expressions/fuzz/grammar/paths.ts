// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { fixed, leaf, list, listExpression, type Node, type Tree } from "../tree.ts";
import { HARD_NAMES, NAMES_BY_TYPE } from "../vocabulary.ts";
import { nameOf, quotedName } from "./literals.ts";
import { anySort, freshVariable, type Grammar, type Sort, type Variable, variableOf } from "./state.ts";

/** A path that probably ends in that type: steps through objects, then a name or a constructor. */
export function path(g: Grammar, sort: Exclude<Sort, "function">): Tree {
  const { draw } = g;
  const steps: Node[] = [];
  // The path's scope gains the variables that @ and # bind.
  const scope = [...g.scope];
  if (draw.odds(35)) steps.push(start(g, scope));
  for (let left = draw.pick([0, 0, 1, 1, 2, 3]); left > 0; left--)
    steps.push(suffixed(g, passage(g), scope, true));
  steps.push(suffixed(g, finalStep(g, sort, scope), scope, false));
  const whole = listExpression("", ".", "", steps, 1);
  return draw.odds(8) ? fixed(whole, group(g, scope)) : whole;
}

function start(g: Grammar, scope: readonly Variable[]): Tree {
  const { draw } = g;
  const variable = variableOf(draw, scope, draw.odds(50) ? "object" : "objects");
  if (variable !== undefined && draw.odds(60)) return leaf(`$${variable.name}`);
  if (draw.odds(30)) return fixed("(", g.expression(draw.odds(50) ? "objects" : "object"), ")");
  return leaf(draw.pick(["$", "$$", "$record", "$$.o", "$list"]));
}

/** A step that probably leads from objects to objects. */
function passage(g: Grammar): Tree {
  const { draw } = g;
  if (draw.odds(70)) return leaf(draw.pick([...NAMES_BY_TYPE.objects, ...NAMES_BY_TYPE.object]));
  if (draw.odds(20)) return leaf(quotedName(draw, draw.pick(HARD_NAMES)));
  if (draw.odds(25)) return fixed("(", g.expression("objects"), ")");
  return leaf(draw.pick(["*", "**", "%", "%.%", "$", "*"]));
}

function finalStep(g: Grammar, sort: Exclude<Sort, "function">, scope: readonly Variable[]): Tree {
  const { draw } = g;
  if (draw.odds(60)) return leaf(nameOf(draw, sort));
  switch (draw.int(0, 6)) {
    case 0:
      return listExpression(
        "[",
        ",",
        "]",
        draw.times(1, 3, () => g.expression(anySort(draw), scope)),
      );
    case 1:
      return object(g, scope);
    case 2:
      return fixed("(", g.expression(sort, scope), ")");
    case 3:
      return fixed(draw.pick(["%.", "%.%.", "$.", "**.", "*."]), leaf(nameOf(draw, sort)));
    case 4:
      return leaf(draw.pick(["*", "**", "%", "$"]));
    case 5: {
      const variable = variableOf(draw, scope, sort);
      return leaf(variable === undefined ? nameOf(draw, sort) : `$${variable.name}`);
    }
    default:
      return leaf(draw.pick(["$string()", "$keys()", "$type($)", "$uppercase(s)", "$sum(xs)", "$length()"]));
  }
}

/** A step with its suffixes: filters, indexes, [], order-by, bindings. */
function suffixed(g: Grammar, step: Tree, scope: Variable[], binds: boolean): Tree {
  const { draw } = g;
  const suffixes: Node[] = [];
  while (draw.odds(28) && suffixes.length < 3) {
    const kind = draw.int(0, 9);
    if (kind < 5) suffixes.push(predicate(g, scope));
    else if (kind < 6) suffixes.push("[]");
    else if (kind < 7) suffixes.push(order(g, scope));
    else if (binds || draw.odds(50)) suffixes.push(binding(g, scope, kind === 7));
  }
  return suffixes.length === 0 ? step : fixed(step, list("", "", "", suffixes));
}

function binding(g: Grammar, scope: Variable[], isFocus: boolean): string {
  const variable = freshVariable(g.draw, isFocus ? "object" : "number");
  scope.push(variable);
  return `${isFocus ? "@" : "#"}$${variable.name}`;
}

export function predicate(g: Grammar, scope: readonly Variable[]): Tree {
  const { draw } = g;
  switch (draw.int(0, 7)) {
    case 0:
    case 1:
      return fixed("[", leaf(draw.pick(["0", "1", "-1", "-2", "2", "1.5", "-0.5", "10"])), "]");
    case 2:
      return fixed(
        "[",
        leaf(draw.pick(["[0,1]", "[0..1]", "[-1,0]", "$count($)-1", "[1,1]", "[]", '"0"'])),
        "]",
      );
    case 3:
      return fixed("[", g.expression("number", scope), "]");
    case 4:
      return fixed("[", leaf(nameOf(draw, "any")), "=", g.expression("any", scope), "]");
    default:
      return fixed("[", g.expression(draw.odds(85) ? "boolean" : anySort(draw), scope), "]");
  }
}

export function order(g: Grammar, scope: readonly Variable[]): Tree {
  const { draw } = g;
  const terms = draw.times(1, 2, () =>
    fixed(
      draw.pick(["", "<", ">"]),
      draw.odds(70)
        ? leaf(nameOf(draw, draw.odds(50) ? "number" : "string"))
        : g.expression(draw.odds(50) ? "number" : "string", scope),
    ),
  );
  return list("^(", ",", ")", terms, 1);
}

export const group = (g: Grammar, scope: readonly Variable[]): Tree => ({
  ...object(g, scope),
  standsAlone: false,
});

export function object(g: Grammar, scope: readonly Variable[]): Tree {
  const { draw } = g;
  const pairs = draw.times(0, 3, () =>
    fixed(
      draw.odds(70)
        ? leaf(JSON.stringify(draw.pick(["n", "s", "k", "constructor", "__proto__"])))
        : keyOf(g, scope),
      ":",
      g.expression(anySort(draw), scope),
    ),
  );
  return listExpression("{", ",", "}", pairs);
}

const keyOf = (g: Grammar, scope: readonly Variable[]): Tree =>
  g.draw.odds(60) ? leaf(nameOf(g.draw, "string")) : g.expression("string", scope);
