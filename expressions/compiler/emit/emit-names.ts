// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { textOf } from "../../syntax/ast.ts";
import type { Emitter } from "../emitter.ts";
import type { Step } from "../../syntax/path-node.ts";
import type { Place } from "../place.ts";

/** Names that objects and arrays inherit, that flag a sequence, or that others look for to learn what an object is. */
const CAREFUL: ReadonlySet<string> = new Set([
  ...[Object.prototype, Array.prototype].flatMap((prototype) => Object.getOwnPropertyNames(prototype)),
  ..."sequence keepSingleton cons outerWrapper tupleStream signature token position thunk arity then next toJSON".split(
    " ",
  ),
]);

export function emitToList(emitter: Emitter, names: readonly string[], place: Place): string {
  const value = place.scope.variable();
  const found = follow(emitter, place.context, names, place, "R.followToList");
  return `(${value}=${found},Array.isArray(${value})&&${value}.cons!==true?${value}:R.listOf(${value}))`;
}

/** One property of a context, which is most often no array. Not settled. */
export function emitName(emitter: Emitter, name: string, place: Place): string {
  const context = emitter.contextOf(place);
  const slowly = `R.lookup(G,${context},${JSON.stringify(name)})`;
  if (context !== place.context || isCareful(name)) return slowly;
  const value = place.scope.variable();
  const found = `(${value}=${context}[${JSON.stringify(name)}])!==undefined?${value}`;
  return `(typeof ${context}!=="object"||${context}===null?undefined:${found}:Array.isArray(${context})?${slowly}:undefined)`;
}

export function emitFromVariable(
  emitter: Emitter,
  steps: readonly Step[],
  names: readonly string[],
  place: Place,
): string {
  const variable = textOf(steps[0] as Step);
  // `$` and `$$` are the input, read no further than the names say, unless `$$` is bound.
  const isInput =
    variable === "" ? place.isRoot : variable === "$" && !emitter.isBoundWithin("$", place.frame);
  if (emitter.options.reads !== undefined && isInput) return emitter.options.reads.path(emitter, names);
  const value = place.scope.variable();
  const text = emitter.emit(steps[0] as Step, place).text;
  return `(${value}=${text},${follow(emitter, value, names, place, "R.followFrom")})`;
}

/** Names in a path that is walked by the runtime: the code for each holds all that follow. */
const LONG_PATH = 16;

/**
 * Properties one after another, for as long as they are objects: an array on the way is walked by the runtime.
 * A name that no object inherits is read as it is: what has no such property gives no value either way.
 */
export function follow(
  emitter: Emitter,
  value: string,
  names: readonly string[],
  place: Place,
  slowly = "R.followNames",
): string {
  if (names.length > LONG_PATH || names.some(isCareful))
    return `${slowly}(G,${value},${emitter.constant(names)})`;
  const slow = (from: string, index: number): string =>
    `R.followArray(G,${from},${emitter.constant(names.slice(index))},${index > 0 && slowly === "R.followFrom" ? "R.followNames" : slowly})`;
  const at = (from: string, index: number): string => {
    if (index === names.length) return from;
    const next = place.scope.variable();
    const key = JSON.stringify(names[index]);
    return (
      `(typeof ${from}!=="object"||${from}===null?undefined:` +
      `(${next}=${from}[${key}])===undefined?${slow(from, index)}:${at(next, index + 1)})`
    );
  };
  return at(value, 0);
}

function isCareful(name: string): boolean {
  return CAREFUL.has(name) || /^(?:[0-9]+|_jsonata_.*)$/.test(name);
}
