// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { calleeOf } from "../../runtime/calls/callee.ts";
import type { Guard } from "../../runtime/guard.ts";
import { toText } from "../../runtime/operators.ts";
import { lookup } from "../../runtime/path.ts";
import { createSequence, isSequence } from "../../runtime/sequence.ts";
import { isFunction } from "../../runtime/calls/function-marks.ts";
import { chargeCoercion, truthy } from "../../runtime/values.ts";

/**
 * JSONata's functions that walk values, charged for each part that they visit: a small value that shares its parts, such as
 * `[[$a], [$a]]` nested 30 times, has billions of parts to visit.
 */

type Values = readonly unknown[];

export function boolean(guard: Guard, [value]: Values): unknown {
  return value === undefined ? undefined : truthy(guard, value);
}

export function not(guard: Guard, [value]: Values): unknown {
  return value === undefined ? undefined : !truthy(guard, value);
}

export function keys(guard: Guard, [value]: Values): unknown {
  return createSequence(namesIn(guard, value));
}

function namesIn(guard: Guard, value: unknown): string[] {
  if (!Array.isArray(value)) return isObject(value) ? guard.namesOf(value) : [];
  // JavaScript lists integer names first, and so does JSONata.
  const all = Object.create(null) as Record<string, true>;
  for (const item of value) {
    guard.tick();
    for (const name of namesIn(guard, item)) all[name] = true;
  }
  return Object.keys(all);
}

export function lookUp(guard: Guard, [value, name]: Values): unknown {
  chargeCoercion(guard, [name]);
  return lookup(guard, value, name as string);
}

export function spread(guard: Guard, [value]: Values): unknown {
  if (Array.isArray(value)) {
    const items: unknown[] = [];
    let isPlain = false;
    for (const item of value) {
      guard.tick();
      const parts = spread(guard, [item]);
      if (parts === undefined) continue;
      // JSONata takes a sequence that was appended to for a plain array.
      isPlain = true;
      guard.sequence(items.length + (Array.isArray(parts) ? parts.length : 1));
      if (Array.isArray(parts)) for (const part of parts) items.push(part);
      else items.push(parts);
    }
    return isPlain ? items : createSequence(items);
  }
  if (!isObject(value)) return value;
  return createSequence(
    guard.namesOf(value).map((name) => {
      const part = Object.create(null) as Record<string, unknown>;
      part[name] = value[name];
      return part;
    }),
  );
}

export function merge(guard: Guard, [objects]: Values): unknown {
  if (objects === undefined) return undefined;
  const result = Object.create(null) as Record<string, unknown>;
  for (const object of objects as readonly unknown[]) {
    guard.tick();
    // A partial application calls with unchecked arguments.
    if (typeof object !== "object" || object === null) continue;
    for (const name of guard.namesOf(object)) result[name] = (object as Record<string, unknown>)[name];
  }
  return result;
}

export function distinct(guard: Guard, [given]: Values): unknown {
  if (!Array.isArray(given) || given.length <= 1) return given;
  const seen = new Set<unknown>();
  const identities = new Identities(guard);
  const found = given.filter((item: unknown) => {
    const identity = identities.of(item);
    // NaN equals no value, so every NaN is kept.
    return Number.isNaN(identity) || (!seen.has(identity) && seen.add(identity));
  });
  return isSequence(given) ? createSequence(found) : found;
}

/** Maps equal values to equal primitives, so that a Set finds duplicates in linear time. */
class Identities {
  readonly #guard: Guard;
  readonly #functions = new Map<unknown, number>();

  constructor(guard: Guard) {
    this.#guard = guard;
  }

  of(value: unknown): unknown {
    if (typeof value === "string") {
      this.#guard.tick();
      this.#guard.chars(value.length);
      // The quote keeps texts apart from the texts that stand for objects.
      return `"${value}`;
    }
    return typeof value === "object" && value !== null ? this.#textOf(value) : value;
  }

  #textOf(value: unknown): string {
    this.#guard.tick(2);
    if (typeof value === "string") {
      this.#guard.chars(value.length);
      return JSON.stringify(value);
    }
    if (isFunction(value)) return `f${this.#numberOf(calleeOf(value) ?? value)}`;
    if (typeof value !== "object" || value === null) return String(value);
    if (Array.isArray(value)) return `[${value.map((item) => this.#textOf(item)).join()}]`;
    const names = this.#guard.namesOf(value).sort();
    return `{${names.map((name) => `${JSON.stringify(name)}:${this.#textOf((value as Record<string, unknown>)[name])}`).join()}}`;
  }

  #numberOf(target: unknown): number {
    let number = this.#functions.get(target);
    if (number === undefined) this.#functions.set(target, (number = this.#functions.size));
    return number;
  }
}

export function clone(guard: Guard, [value]: Values): unknown {
  if (value === undefined) return undefined;
  return JSON.parse(toText(guard, value) as string) as unknown;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !isFunction(value);
}
