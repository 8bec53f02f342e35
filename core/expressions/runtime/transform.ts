// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { ExpressionError } from "../expression.ts";
import { calleeOf, isLambda } from "./callee.ts";
import { createLambda } from "./function-values.ts";
import type { Guard } from "./guard.ts";
import { toText } from "./operators.ts";
import type { Step } from "./path.ts";
import { isArrayOfStrings, isFunction } from "./values.ts";

/** Where a part is, as far as the parser says. */
interface Located {
  readonly position?: number;
}

/** `|pattern|update, delete|`: a function that gives a changed copy of an object. */
export function transform(
  guard: Guard,
  pattern: Step,
  update: Step,
  remove: Step | undefined,
  updatePlace: Located,
  removePlace: Located,
): unknown {
  return createLambda(guard, 1, "<(oa):o>", ([given]) => {
    if (given === undefined) return undefined;
    const result: unknown = JSON.parse(toText(guard, given) as string);
    const matches = pattern(result);
    if (matches === undefined) return result;
    for (const match of Array.isArray(matches) ? matches : [matches]) {
      guard.tick();
      merge(match, update(match), updatePlace);
      if (remove !== undefined) removeFrom(match, remove(match), removePlace);
    }
    return result;
  });
}

function merge(match: unknown, changes: unknown, place: Located): void {
  if (changes === undefined) return;
  // To the reference a function is an object, whose marks make functions of the objects that they are merged into.
  const callee = calleeOf(changes);
  if (callee !== undefined) {
    setOwn(match as object, isLambda(callee) ? "_jsonata_lambda" : "_jsonata_function", true);
    return;
  }
  if (typeof changes !== "object" || changes === null || Array.isArray(changes) || isFunction(changes))
    throw new ExpressionError("T2011", "the update of a transform must be an object", {
      ...place,
      value: changes,
    });
  for (const [name, value] of Object.entries(changes)) setOwn(match as object, name, value);
}

/** A property of the object itself, whatever its name: none reaches a prototype. */
function setOwn(target: object, name: string, value: unknown): void {
  if (typeof target !== "object" || target === null) return;
  Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true });
}

function removeFrom(match: unknown, names: unknown, place: Located): void {
  if (names === undefined) return;
  const list = Array.isArray(names) ? names : [names];
  if (!isArrayOfStrings(list))
    throw new ExpressionError("T2012", "the names that a transform deletes must be strings", {
      ...place,
      value: names,
    });
  if (typeof match !== "object" || match === null) return;
  for (const name of list) delete (match as Record<string, unknown>)[name];
}
