// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Guard } from "../expressions/runtime/guard.ts";
import { followNames, walkNames } from "../expressions/runtime/path.ts";
import type { AttributeBag } from "./bag.ts";
import { createRecorder, type Recorder } from "./recorder.ts";
import type { AttributeReference } from "./reference.ts";

/**
 * A path that compiled expressions read. All expressions of a compiler share one for each path, so that the requests'
 * value is found once, however many policies ask for it: `id` says whose request `value` is of.
 */
export class PathRead {
  readonly names: readonly string[];
  id = 0;
  value: unknown = undefined;

  constructor(names: readonly string[]) {
    this.names = names;
  }
}

/** What the expressions of one request read of its bag: values for them, and a note of each. */
export class Reads {
  /** No other request's, ever; 0 is nobody's. */
  readonly id = ++lastId;
  readonly bag: AttributeBag;
  readonly #notes = new Map<string, AttributeReference>();
  #recorder: Recorder | undefined;

  constructor(bag: AttributeBag) {
    this.bag = bag;
  }

  /** The bag for whoever reads it freely; what they read is noted as they do. */
  get view(): AttributeBag {
    this.#recorder ??= createRecorder(this.bag);
    return this.#recorder.view;
  }

  /** The value of a path that has not been read for this request. */
  read(path: PathRead): unknown {
    const { names } = path;
    const value = this.#follow(names);
    path.id = this.id;
    path.value = value;
    return value;
  }

  /** The same as the sequence, or the one value, that further steps go on from. */
  sequence(path: PathRead): unknown {
    const value = path.id === this.id ? path.value : this.read(path);
    return Array.isArray(value) ? walkNames(UNLIMITED, this.bag, path.names, false) : value;
  }

  /** A variable that no expression binds: documents have none from outside. */
  variable(): undefined {
    return undefined;
  }

  /** Everything read so far, each once, and none that another implies. */
  references(): readonly AttributeReference[] {
    const recorded = this.#recorder?.references() ?? [];
    if (recorded.length === 0) return [...this.#notes.values()];
    const all = new Map(this.#notes);
    for (const reference of recorded) all.set(JSON.stringify(reference.path), reference);
    return [...all.values()].filter((reference) => !isImplied(reference, all));
  }

  #follow(names: readonly string[]): unknown {
    let value: unknown = this.bag;
    for (let index = 0; index < names.length; index++) {
      const name = names[index] as string;
      value = Object.hasOwn(value as object, name) ? (value as Record<string, unknown>)[name] : undefined;
      if (value === undefined) return this.#note(names, index, "ABSENCE");
      // An array is read whole, and its items' properties with it.
      if (Array.isArray(value)) {
        this.#note(names, index, "EXACT");
        return index === names.length - 1 ? value : followNames(UNLIMITED, value, names.slice(index + 1));
      }
      if (typeof value !== "object" || value === null) {
        this.#note(names, index, "EXACT");
        return index === names.length - 1 ? value : undefined;
      }
    }
    // Of an object, what is read of it from here on.
    let view: unknown = this.view;
    for (const name of names)
      view = Object.hasOwn(view as object, name) ? (view as Record<string, unknown>)[name] : undefined;
    return view;
  }

  #note(names: readonly string[], index: number, condition: AttributeReference["condition"]): undefined {
    const path = index === names.length - 1 ? names : names.slice(0, index + 1);
    this.#notes.set(JSON.stringify(path), { path, condition });
  }
}

let lastId = 0;

/** A bag is bounded by what a request may carry. */
const UNLIMITED = new Guard({ nowMs: () => 0 });

/** Whether something that was read whole holds it, or it says no more than that something within it is there. */
function isImplied(
  { path, condition }: AttributeReference,
  all: ReadonlyMap<string, AttributeReference>,
): boolean {
  for (let length = 0; length < path.length; length++) {
    if (all.get(JSON.stringify(path.slice(0, length)))?.condition === "EXACT") return true;
  }
  if (condition !== "PRESENCE") return false;
  return [...all.values()].some(
    (other) =>
      other.condition !== "ABSENCE" &&
      other.path.length > path.length &&
      path.every((step, index) => other.path[index] === step),
  );
}
