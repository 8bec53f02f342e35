// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { runInThisContext } from "node:vm";
import type jsonata from "jsonata";

const AT_ONCE = [
  "await Promise.all(expr.expressions\n                    .map(",
  "await Promise.all(utils.keys(groups).map(",
] as const;
const IN_TURN = ["await inTurn(expr.expressions, (", "await inTurn(utils.keys(groups), ("] as const;
const HELPER =
  "async function inTurn(items, visit) { const out = []; for (const [at, item] of items.entries()) out.push(await visit(item, at)); return out; }\n";

function load(): typeof jsonata {
  const file = createRequire(import.meta.url).resolve("jsonata");
  let source = readFileSync(file, "utf8");
  for (const [index, atOnce] of AT_ONCE.entries()) {
    if (source.split(atOnce).length !== 2) throw new Error(`not found once in ${file}: ${atOnce}`);
    source = source.replace(atOnce, () => IN_TURN[index] ?? "");
  }
  const module = { exports: {} };
  const wrapped = runInThisContext(`(function (module, exports, require) {${HELPER}${source}\n})`, {
    filename: "jsonata-in-turn.js",
  }) as (module: object, exports: object, require: unknown) => void;
  wrapped(module, module.exports, undefined);
  return module.exports as typeof jsonata;
}

/**
 * The reference evaluates the items of an array, and the groups of a group-by, all at once; which of several that fail is
 * reported is then decided by how many promises each waits for. This is the same code with one change: it takes them in turn.
 */
export const referenceInTurn: typeof jsonata = load();
