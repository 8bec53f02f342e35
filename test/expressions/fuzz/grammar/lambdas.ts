// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { fixed, leaf, list, listExpression, type Node, type Tree } from "../tree.ts";
import { anySort, freshVariable, type Grammar, type Sort, type Variable } from "./state.ts";

/** A lambda whose body gives `result`. */
export function lambda(g: Grammar, parameters: readonly Sort[], result: Sort): Tree {
  const { draw } = g;
  const variables = parameters.map((sort) => freshVariable(draw, sort));
  const word = draw.odds(85) ? "function" : "λ";
  return fixed(
    word,
    list(
      "(",
      ",",
      ")",
      variables.map(({ name }) => `$${name}`),
    ),
    draw.odds(8) ? signature(g, parameters, result) : "",
    "{",
    g.expression(result, [...g.scope, ...variables]),
    "}",
  );
}

const LETTERS: Readonly<Record<Sort, string>> = {
  number: "n",
  string: "s",
  boolean: "b",
  numbers: "a<n>",
  strings: "a<s>",
  objects: "a",
  object: "o",
  any: "x",
  function: "f",
};

function signature({ draw }: Grammar, parameters: readonly Sort[], result: Sort): string {
  if (draw.odds(15))
    return draw.pick(["<s-:n>", "<(ns)x?:x>", "<n+:n>", "<a<n>?:a>", "<j:j>", "<l:b>", "<", "<q>"]);
  const letters = parameters.map((sort) => LETTERS[sort] + draw.pick(["", "", "?", "-"]));
  return `<${letters.join("")}:${LETTERS[result]}>`;
}

const PARAMETER_COUNT_MAX = 3;

/** A block that binds and uses values and functions: closures, shadowing, recursion, composition. */
export function block(g: Grammar, sort: Sort): Tree {
  const { draw } = g;
  const scope: Variable[] = [...g.scope];
  const statements: Node[] = draw.times(0, 2, () => {
    const bound = anySort(draw);
    const variable = freshVariable(draw, draw.odds(30) ? "function" : bound);
    const value = g.expression(variable.sort, scope);
    scope.push(variable);
    return fixed(`$${variable.name} := `, value);
  });
  return listExpression("(", "; ", ")", [...statements, g.expression(sort, scope)]);
}

/** A call of a lambda, of a variable or of a partial application. */
export function application(g: Grammar, sort: Sort): Tree {
  const { draw } = g;
  const sorts = draw.times(0, PARAMETER_COUNT_MAX, () => anySort(draw));
  const body = lambda(g, sorts, sort);
  const functions = g.scope.filter((variable) => variable.sort === "function");
  const callee =
    functions.length > 0 && draw.odds(50)
      ? leaf(`$${draw.pick(functions).name}`)
      : draw.odds(25)
        ? fixed("(", body, ")")
        : body;
  const args = sorts.map((wanted) => g.expression(wanted));
  if (draw.odds(20)) {
    const holes = args.map((arg) => (draw.odds(50) ? "?" : arg));
    const partial = fixed("$f(", listExpression("", ",", "", holes), ")");
    const filled = args.filter((_, at) => holes[at] === "?");
    return fixed("($f := ", callee, "; $g := ", partial, "; $g", list("(", ",", ")", filled), ")");
  }
  return fixed(callee, list("(", ",", ")", args));
}

/** A function that calls itself a few times, in tail position or not. */
export function recursion(g: Grammar, sort: Sort): Tree {
  const { draw } = g;
  const scope: Variable[] = [...g.scope, { name: "k", sort: "number" }, { name: "acc", sort }];
  const base = g.expression(sort, scope);
  const next = g.expression(sort, scope);
  const again = draw.odds(60)
    ? fixed("$f($k - 1, ", next, ")")
    : fixed(next, draw.pick([" + ", " & ", " = "]), "$f($k - 1, $acc)");
  const start = g.expression(sort);
  const times = leaf(String(draw.int(0, 5)));
  return fixed(
    "($f := function($k, $acc){$k <= 0 ? ",
    base,
    " : ",
    again,
    "}; $f(",
    times,
    ", ",
    start,
    "))",
  );
}

export function chain(g: Grammar, sort: Sort): Tree {
  const { draw } = g;
  const from = anySort(draw);
  const links = draw.times(1, 2, () =>
    draw.odds(40)
      ? lambda(g, [from], sort)
      : draw.odds(50)
        ? g.expression("function")
        : leaf(draw.pick(CHAINED)),
  );
  return listExpression("(", " ~> ", ")", [g.expression(from), ...links], 1);
}

const CHAINED = [
  "$string",
  "$count",
  "$sum",
  "$uppercase()",
  '$substringBefore("b")',
  "$map($string)",
  "$filter(function($v){$v > 1})",
  "$keys",
  "$sort",
  "$reverse()",
  '$join("-")',
  "$append(1)",
  "$substring(?, 1)",
  "$not",
  "$exists",
  "/a/",
];

export function transform(g: Grammar): Tree {
  const { draw } = g;
  const location = draw.odds(60)
    ? leaf(draw.pick(["$", "o", "os", "**", "os[n=1]", "*", "os.o", "nothing", "n"]))
    : g.expression("objects");
  const update = g.expression(draw.odds(90) ? "object" : anySort(draw));
  const removed = draw.odds(40) ? fixed(",", g.expression(draw.odds(50) ? "strings" : "string")) : "";
  const operation = fixed("|", location, "|", update, removed, "|");
  return fixed(leaf(draw.pick(["$", "o", "os", "$$", "$record"])), " ~> ", operation);
}
