// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Guard, type Meter } from "../guard.ts";
import { followNames, walkNames } from "../path.ts";
import type { DataObject } from "../../data.ts";
import { createRecorder, type Recorder } from "./recorder.ts";
import type { AttributeReference } from "./reference.ts";

/** A thing to note of a path, made once. */
interface Note {
  readonly key: string;
  readonly reference: AttributeReference;
}

type Notes = Readonly<Record<"EXACT" | "ABSENCE", Note>>;

/**
 * A path that compiled expressions read. There is one for each path, so that a request's value is found once, however
 * many policies ask for it: `id` says whose request `value` is of.
 */
export class PathRead {
  readonly names: readonly string[];
  id = 0;
  value: unknown = undefined;
  readonly #notes: readonly Notes[];

  private constructor(names: readonly string[]) {
    this.names = names;
    this.#notes = names.map((_, index) => {
      const path = names.slice(0, index + 1);
      const key = JSON.stringify(path);
      return {
        EXACT: { key, reference: { path, condition: "EXACT" } },
        ABSENCE: { key, reference: { path, condition: "ABSENCE" } },
      };
    });
  }

  /** The one for `names`. */
  static of(names: readonly string[]): PathRead {
    const key = JSON.stringify(names);
    let path = PathRead.#shared.get(key);
    if (path === undefined) {
      // Beyond, as after many changes of the documents, sharing begins anew.
      if (PathRead.#shared.size >= SHARED_PATHS) PathRead.#shared.clear();
      PathRead.#shared.set(key, (path = new PathRead(names)));
    }
    return path;
  }

  static readonly #shared = new Map<string, PathRead>();

  /** What is to be noted when reading ends at the name with this index. */
  noteAt(index: number, condition: "EXACT" | "ABSENCE"): Note {
    return (this.#notes[index] as Notes)[condition];
  }
}

const SHARED_PATHS = 10_000;

/** What the expressions of one request read of its bag: values for them, and a note of each. */
export class Reads implements Meter {
  /** No other request's, ever; 0 is nobody's. */
  readonly id = ++lastId;
  readonly bag: DataObject;
  /** What the expressions of the request have used: they share one budget. */
  steps = 0;
  workMs = 0;
  readonly #notes = new Map<string, AttributeReference>();
  #recorder: Recorder | undefined;

  /** @param spent what was used for the same request already, in other readings of its bag. */
  constructor(bag: DataObject, spent?: Meter) {
    this.bag = bag;
    if (spent === undefined) return;
    this.steps = spent.steps;
    this.workMs = spent.workMs;
  }

  /** The bag for whoever reads it freely; what they read is noted as they do. */
  get view(): DataObject {
    this.#recorder ??= createRecorder(this.bag);
    return this.#recorder.view;
  }

  /** The value of a path that has not been read for this request. */
  read(path: PathRead): unknown {
    const value = this.#follow(path);
    path.id = this.id;
    path.value = value;
    return value;
  }

  /** The same as the sequence, or the one value, that further steps go on from. */
  sequence(path: PathRead): unknown {
    const value = path.id === this.id ? path.value : this.read(path);
    return Array.isArray(value) ? walkNames(UNLIMITED, this.view, path.names, false) : value;
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

  #follow(path: PathRead): unknown {
    const { names } = path;
    let value: unknown = this.bag;
    for (let index = 0; index < names.length; index++) {
      const name = names[index] as string;
      value = Object.hasOwn(value as object, name) ? (value as Record<string, unknown>)[name] : undefined;
      if (value === undefined) return this.#note(path, index, "ABSENCE");
      // An array is read whole, and its items' properties with it: in an order that does not hang on the request's.
      if (Array.isArray(value)) {
        if (value.some(isObject)) value = this.#viewOf(names.slice(0, index + 1));
        else this.#note(path, index, "EXACT");
        return index === names.length - 1 ? value : followNames(UNLIMITED, value, names.slice(index + 1));
      }
      if (typeof value !== "object" || value === null) {
        this.#note(path, index, "EXACT");
        return index === names.length - 1 ? value : undefined;
      }
    }
    // Of an object, what is read of it from here on.
    return this.#viewOf(names);
  }

  #viewOf(names: readonly string[]): unknown {
    let view: unknown = this.view;
    for (const name of names)
      view = Object.hasOwn(view as object, name) ? (view as Record<string, unknown>)[name] : undefined;
    return view;
  }

  #note(path: PathRead, index: number, condition: "EXACT" | "ABSENCE"): undefined {
    const { key, reference } = path.noteAt(index, condition);
    this.#notes.set(key, reference);
  }
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null;
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
