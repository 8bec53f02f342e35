// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { fixed, leaf, listExpression, type Tree } from "../tree.ts";
import { anySort, type Grammar, type Sort } from "./state.ts";
import { object } from "./paths.ts";

/** An operator or constructor that gives that type. */
export function operation(g: Grammar, sort: Sort): Tree {
  const { draw } = g;
  switch (sort) {
    case "number":
      if (draw.odds(12)) return fixed("-", g.expression("number"));
      return binary(g, draw.pick(["+", "-", "*", "/", "%"]), "number", "number");
    case "string":
      return binary(
        g,
        "&",
        draw.odds(70) ? "string" : anySort(draw),
        draw.odds(70) ? "string" : anySort(draw),
      );
    case "boolean":
      return comparison(g);
    case "numbers":
      return draw.odds(60) ? range(g) : array(g, "number");
    case "strings":
      return array(g, "string");
    case "objects":
      return array(g, "object");
    case "object":
      return object(g, g.scope);
    case "function":
      return fixed(g.expression("function"), " ~> ", g.expression("function"));
    case "any":
      return draw.odds(30) ? alternative(g, sort) : operation(g, anySort(draw));
  }
}

function comparison(g: Grammar): Tree {
  const { draw } = g;
  switch (draw.int(0, 5)) {
    case 0: {
      const sort = anySort(draw);
      return binary(g, draw.pick(["=", "!="]), sort, sort);
    }
    case 1: {
      const sort = draw.odds(50) ? "number" : "string";
      return binary(g, draw.pick(["<", "<=", ">", ">="]), sort, sort);
    }
    case 2:
      return draw.odds(50)
        ? binary(g, " in ", "number", "numbers")
        : binary(g, " in ", "string", draw.odds(80) ? "strings" : "string");
    default:
      return binary(g, draw.pick([" and ", " or "]), bool(g), bool(g));
  }
}

const bool = ({ draw }: Grammar): Sort => (draw.odds(80) ? "boolean" : anySort(draw));

/** A binary operation, usually in parentheses; without them the parser's precedence decides the operands. */
export function binary(g: Grammar, operator: string, left: Sort, right: Sort): Tree {
  const spaced = g.draw.odds(40) && !operator.startsWith(" ") ? ` ${operator} ` : operator;
  const [a, b] = [g.expression(left), g.expression(right)];
  return g.draw.odds(70) ? fixed("(", a, spaced, b, ")") : fixed(a, spaced, b);
}

function range(g: Grammar): Tree {
  const { draw } = g;
  const bound = (low: number, high: number) =>
    draw.odds(75) ? leaf(String(draw.int(low, high))) : g.expression("number");
  const one = () => fixed(bound(0, 3), "..", bound(0, 8));
  return listExpression("[", ",", "]", draw.odds(80) ? [one()] : [one(), g.expression("number"), one()]);
}

function array(g: Grammar, sort: Sort): Tree {
  const { draw } = g;
  return listExpression(
    "[",
    ",",
    "]",
    draw.times(0, 4, () => g.expression(draw.odds(85) ? sort : anySort(draw))),
  );
}

/** One of several values, by a condition or a default operator. */
export function alternative(g: Grammar, sort: Sort): Tree {
  const { draw } = g;
  switch (draw.int(0, 4)) {
    case 0:
      return fixed("(", g.expression(bool(g)), " ? ", g.expression(sort), ")");
    case 1:
      return fixed("(", g.expression(sort), " ?: ", g.expression(sort), ")");
    case 2:
      return fixed("(", g.expression(sort), " ?? ", g.expression(sort), ")");
    default:
      return fixed("(", g.expression(bool(g)), " ? ", g.expression(sort), " : ", g.expression(sort), ")");
  }
}
