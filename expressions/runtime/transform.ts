// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { DataObject } from "../data.ts";
import { isView } from "./reads/recorder.ts";
import { ExpressionError } from "../errors/expression-error.ts";
import { calleeOf, isLambda } from "./calls/callee.ts";
import { createLambda } from "./calls/function-values.ts";
import type { Guard } from "./guard.ts";
import { toText } from "./operators.ts";
import type { Step } from "./path.ts";
import { isFunction } from "./calls/function-marks.ts";
import { isArrayOfStrings } from "./values.ts";

/** Where a part is, as far as the parser says. */
interface Located {
  readonly position?: number;
}

/**
 * `|pattern|update, delete|`: a function that gives a changed copy of an object.
 * @param outside What the expression was given. A pattern may find parts of it, as `$$` does; they are not written to, which
 * the reference does.
 */
export function transform(
  guard: Guard,
  outside: readonly unknown[],
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
    const copied = partsOf(guard, [result]);
    let outsideParts: ReadonlySet<unknown> | undefined;
    const isGiven = (match: unknown): boolean => {
      if (typeof match !== "object" || match === null || copied.has(match)) return false;
      return (
        isView(match as DataObject) ||
        Object.isFrozen(match) ||
        (outsideParts ??= partsOf(guard, outside)).has(match)
      );
    };
    for (const match of Array.isArray(matches) ? matches : [matches]) {
      guard.tick();
      const target: unknown = isGiven(match) ? undefined : match;
      merge(target, update(match), updatePlace);
      if (remove !== undefined) removeFrom(target, remove(match), removePlace);
    }
    return result;
  });
}

/** Every object and array in `roots`, themselves among them. */
function partsOf(guard: Guard, roots: readonly unknown[]): ReadonlySet<unknown> {
  const parts = new Set<unknown>();
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null || parts.has(value) || isFunction(value)) return;
    guard.tick();
    parts.add(value);
    for (const member of Object.values(value)) visit(member);
  };
  roots.forEach(visit);
  return parts;
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
