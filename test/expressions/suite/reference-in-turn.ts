// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { runInThisContext } from "node:vm";
import type jsonata from "jsonata";

/** Replacements in the reference's source, each of which must match once. */
const CHANGES: ReadonlyMap<string, string> = new Map([
  ["await Promise.all(expr.expressions\n                    .map(", "await inTurn(expr.expressions, ("],
  ["await Promise.all(utils.keys(groups).map(", "await inTurn(utils.keys(groups), ("],
  [
    "closure.arity = getFunctionArity(arg);",
    "closure.arity = getFunctionArity(arg); closure.toString = objectText;",
  ],
  ["        return closure;\n", "        closure.toString = objectText; return closure;\n"],
]);
const HELPERS = `
async function inTurn(items, visit) { const out = []; for (const [at, item] of items.entries()) out.push(await visit(item, at)); return out; }
function objectText() { return "[object Object]"; }
`;

function load(): typeof jsonata {
  const file = createRequire(import.meta.url).resolve("jsonata");
  let source = readFileSync(file, "utf8");
  for (const [original, changed] of CHANGES) {
    if (source.split(original).length !== 2) throw new Error(`not found once in ${file}: ${original}`);
    source = source.replace(original, () => changed);
  }
  const module = { exports: {} };
  const wrapped = runInThisContext(`(function (module, exports, require) {${HELPERS}${source}\n})`, {
    filename: "jsonata-in-turn.js",
  }) as (module: object, exports: object, require: unknown) => void;
  wrapped(module, module.exports, undefined);
  return module.exports as typeof jsonata;
}

/**
 * A variant of the reference with two changes. The reference evaluates the items of an array, and the groups
 * of a group-by, concurrently: the number of promises that each awaits decides which of several errors is
 * reported. The variant evaluates them in turn. The text of some functions is their own source in the
 * reference; in the variant the text of every function is `[object Object]`.
 */
export const referenceInTurn: typeof jsonata = load();
