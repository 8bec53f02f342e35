// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Draw } from "../draw.ts";
import { drawNumber, drawString } from "../input.ts";
import { fixed, leaf, listExpression, type Tree } from "../tree.ts";
import { HARD_NAMES, NAMES_BY_TYPE, REGEXES } from "../vocabulary.ts";
import { anySort, type Grammar, type Sort, variableOf } from "./state.ts";

/** A smallest expression of a type: a literal, a variable, a name. */
export function terminal(g: Grammar, sort: Sort): Tree {
  const { draw } = g;
  const kind = draw.int(0, 9);
  if (kind < 3) {
    const variable = variableOf(draw, g.scope, sort);
    if (variable !== undefined) return leaf(`$${variable.name}`);
  }
  if (kind < 7 && sort !== "function") return leaf(nameOf(draw, sort));
  if (draw.odds(5)) return leaf(draw.pick(["$", "$$", "nothing", "$nothing", "null"]));
  return literal(g, sort);
}

export function literal(g: Grammar, sort: Sort): Tree {
  const { draw } = g;
  switch (sort) {
    case "number":
      return numberLiteral(draw);
    case "string":
      return stringLiteral(draw, drawString(draw));
    case "boolean":
      return leaf(draw.pick(["true", "false"]));
    case "numbers":
      return arrayOf(() => numberLiteral(draw), draw, 4);
    case "strings":
      return arrayOf(() => stringLiteral(draw, drawString(draw)), draw, 3);
    case "objects":
      return leaf(draw.pick(["$list", "$record.os", '[{"n":1},{"n":2}]', '[{"s":"a"},{"s":"b","n":3}]']));
    case "object":
      return leaf(draw.pick(["$record", "{}", '{"n":1,"s":"a"}', '{"o":{"xs":[1,2]}}', '{"constructor":1}']));
    case "function":
      return leaf(
        draw.pick([...BUILT_IN_VALUES, "function($v){$v}", "λ($v,$i){$i}", "function(){1}", ...REGEXES]),
      );
    case "any":
      return draw.odds(20) ? leaf("null") : literal(g, anySort(draw));
  }
}

const BUILT_IN_VALUES = [
  "$uppercase",
  "$string",
  "$sum",
  "$count",
  "$number",
  "$boolean",
  "$length",
  "$keys",
];

function arrayOf(make: () => Tree, draw: Draw, most: number): Tree {
  return listExpression("[", ",", "]", draw.times(0, most, make));
}

export function numberLiteral(draw: Draw): Tree {
  const value = drawNumber(draw);
  const text = JSON.stringify(Math.abs(value));
  // A number literal has no sign: a unary minus makes a negative number.
  return value < 0 || Object.is(value, -0) ? fixed("-", leaf(text)) : leaf(text);
}

/** The string in single or double quotes, with escapes of every form. */
export function stringLiteral(draw: Draw, value: string): Tree {
  if (draw.odds(70)) return leaf(JSON.stringify(value));
  if (draw.odds(50))
    return leaf(`'${JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\u0027")}'`);
  if (draw.odds(20))
    return leaf(draw.pick(['"\\x"', '"\\u12"', '"\\/\\b\\f"', '"open', "'\\'", '"\\uD83D\\uDE00"']));
  const escaped = Array.from({ length: value.length }, (_, at) => value.charCodeAt(at));
  return leaf(`"${escaped.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("")}"`);
}

export function nameOf(draw: Draw, sort: Exclude<Sort, "function">): string {
  return draw.odds(5) ? quotedName(draw, draw.pick(HARD_NAMES)) : draw.pick(NAMES_BY_TYPE[sort]);
}

export function quotedName(draw: Draw, name: string): string {
  const plain = /^[a-zA-Z_]\w*$/.test(name);
  if (plain && draw.odds(60)) return name;
  return draw.odds(80) ? `\`${name}\`` : JSON.stringify(name);
}
