// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { fixed, leaf, list, listExpression, type Tree } from "../tree.ts";
import {
  DATE_PICTURES,
  HARD_STRINGS,
  INTEGER_PICTURES,
  NUMBER_PICTURES,
  PLAIN_STRINGS,
  REGEXES,
  TIMEZONES,
} from "../vocabulary.ts";
import { BUILT_INS, type BuiltIn, FIXED_CALLS, type Wanted } from "./built-ins.ts";
import { lambda } from "./lambdas.ts";
import { anySort, type Grammar, type Sort } from "./state.ts";

/** A call of a built-in that gives that type: plain, chained, after a dot or with a missing argument. */
export function call(g: Grammar, sort: Sort): Tree {
  const { draw } = g;
  const known = FIXED_CALLS[sort];
  if (known !== undefined && draw.odds(2)) return leaf(draw.pick(known));
  const fitting = BY_SORT.get(sort);
  const offered = fitting === undefined || draw.odds(5) ? BUILT_INS : fitting;
  const first = draw.pick(offered);
  // A function that often fails would end most evaluations early.
  const chosen = RAISING.has(first.name) && draw.odds(85) ? draw.pick(offered) : first;
  const args = argumentsOf(g, chosen);
  const [context, ...others] = args;
  const form = draw.int(0, 99);
  if (context === undefined || form < 76) return fixed(`$${chosen.name}`, list("(", ",", ")", args));
  if (form < 86) return fixed("(", context, " ~> ", `$${chosen.name}`, list("(", ",", ")", others), ")");
  if (form < 94) return fixed(context, ".", `$${chosen.name}`, list("(", ",", ")", others));
  const partial = fixed(`$${chosen.name}`, list("(", ",", ")", ["?", ...others]));
  return fixed("(", context, " ~> ", partial, ")");
}

const RAISING: ReadonlySet<string> = new Set(["error", "assert"]);

const BY_SORT: ReadonlyMap<Sort, readonly BuiltIn[]> = new Map(
  BUILT_INS.map(({ gives }) => [
    gives,
    BUILT_INS.filter((other) => other.gives === gives || gives === "any" || other.gives === "any"),
  ]),
);

function argumentsOf(g: Grammar, { wants, optional }: BuiltIn): Tree[] {
  const { draw } = g;
  let count = wants.length - (optional === 0 ? 0 : draw.int(0, optional));
  if (draw.odds(2)) count = Math.max(0, count - 1);
  const args = wants.slice(0, count).map((wanted) => argument(g, wanted));
  return draw.odds(1) ? [...args, g.expression(anySort(draw))] : args;
}

const texts = (...lists: readonly (readonly string[])[]): readonly string[] =>
  lists.flat().map((text) => JSON.stringify(text));

/** Parameters whose valid arguments are a few texts. */
const CHOICES: Readonly<Partial<Record<Wanted, readonly string[]>>> = {
  small: ["0", "1", "2", "3", "-1", "-2", "5", "1.5", "10", "-5"],
  pattern: [...REGEXES, ...texts(PLAIN_STRINGS), '""', "nothing"],
  replacement: [
    '"$1"',
    '"$0-$2"',
    '"$$"',
    '"x"',
    '""',
    '"$"',
    '"$10"',
    "function($m){$m.match}",
    "λ($m){$m.groups[0]}",
  ],
  numberPicture: texts(NUMBER_PICTURES),
  numberOptions: [
    '{"decimal-separator": ","}',
    '{"zero-digit":"٠"}',
    '{"minus-sign":"~"}',
    '{"percent":"pc"}',
    "{}",
  ],
  integerPicture: texts(INTEGER_PICTURES),
  numeral: texts([
    "12",
    "012",
    "1,234",
    "xiv",
    "XIV",
    "b",
    "AA",
    "twelve",
    "one hundred and third",
    "1st",
    "",
  ]),
  datePicture: texts(DATE_PICTURES),
  date: texts([
    "2018-03-27",
    "2017-05-15T15:12:59.152Z",
    "27th March 2018",
    "2018",
    "12:01:02.003",
    "x",
    "2018-W01",
  ]),
  timezone: texts(TIMEZONES),
  radix: ["2", "8", "16", "36", "1", "37", "10.6"],
  encoded: texts(HARD_STRINGS, ["12", "YQ==", "%41", "0o17", "12.50", "Infinity", "0x"]),
  source: texts(["n", "1+1", "$sum(xs)", "s & t", "1 +", "$x", "os.n", "[1,2", "function($v){$v}(2)"]),
};

function argument(g: Grammar, wanted: Wanted): Tree {
  const { draw } = g;
  if (draw.odds(7)) return g.expression(anySort(draw));
  const choices = CHOICES[wanted];
  if (choices !== undefined) return draw.odds(85) ? leaf(draw.pick(choices)) : g.expression(sortFor(wanted));
  switch (wanted) {
    case "array":
      return g.expression(draw.pick(["numbers", "strings", "objects", "any"] as const));
    case "mapper":
      return callback(g, ["any", "number", "any"], anySort(draw));
    case "test":
      return callback(g, ["any", "number", "any"], "boolean");
    case "reducer":
      return callback(g, ["number", "number", "number", "any"], draw.odds(70) ? "number" : anySort(draw), 2);
    case "comparator":
      return comparator(g);
    case "fieldMapper":
      return callback(g, ["any", "string", "object"], anySort(draw));
    case "fieldTest":
      return callback(g, ["any", "string", "object"], "boolean");
    default:
      return g.expression(wanted as Sort);
  }
}

const sortFor = (wanted: Wanted): Sort => (wanted === "small" || wanted === "radix" ? "number" : "string");

function callback(g: Grammar, sorts: readonly Sort[], result: Sort, fewest = 1): Tree {
  const { draw } = g;
  if (draw.odds(15)) return g.expression("function");
  const count = draw.odds(5) ? draw.int(0, 4) : draw.int(fewest, sorts.length);
  return lambda(g, sorts.slice(0, count), result);
}

function comparator(g: Grammar): Tree {
  const { draw } = g;
  if (draw.odds(20)) return lambda(g, ["number", "number"], "boolean");
  const by = draw.pick(["", ".n", ".s"]);
  return listExpression(
    "",
    "",
    "",
    [`function($l, $r){$l${by} ${draw.pick([">", "<", ">=", "="])} $r${by}}`],
    1,
  );
}
