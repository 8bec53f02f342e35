// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Guard } from "../guard.ts";
import type { Meter } from "./meter.ts";
import { followNames, walkNames } from "../path.ts";
import type { DataObject } from "../../data.ts";
import type { PathRead } from "./path-read.ts";
import { createRecorder, type Recorder } from "./recorder.ts";
import type { AttributeReference } from "./reference.ts";

/**
 * The reads of one request: the values that its expressions read from its bag, and the recorded references.
 */
export class Reads implements Meter {
  readonly bag: DataObject;
  /**
   * Paths that were read, each in its slot with its value after it. Compiled code looks here first, so that
   * each value of a request is read once, whatever the number of policies that read it.
   */
  readonly slots: unknown[] = [];
  /** The steps of the request's expressions so far, which share one budget. */
  steps = 0;
  workMs = 0;
  readonly #notes = new Map<string, AttributeReference>();
  #recorder: Recorder | undefined;

  /** @param spent Work already done for this request with other Reads. */
  constructor(bag: DataObject, spent?: Meter) {
    this.bag = bag;
    if (spent === undefined) return;
    this.steps = spent.steps;
    this.workMs = spent.workMs;
  }

  /** A view of the bag that records every read. */
  get view(): DataObject {
    this.#recorder ??= createRecorder(this.bag);
    return this.#recorder.view;
  }

  /** The value of a path. */
  valueOf(path: PathRead): unknown {
    return this.slots[path.slot] === path ? this.slots[path.slot + 1] : this.read(path);
  }

  /** Reads a path whose value is not in its slot. */
  read(path: PathRead): unknown {
    const value = this.#follow(path);
    this.slots[path.slot] = path;
    this.slots[path.slot + 1] = value;
    return value;
  }

  /** The path's value as a JSONata sequence, for the steps after it. */
  sequence(path: PathRead): unknown {
    const value = this.valueOf(path);
    return Array.isArray(value) ? walkNames(UNLIMITED, this.view, path.names, false) : value;
  }

  /** A variable that no expression binds is absent: documents get no variables from outside. */
  variable(): undefined {
    return undefined;
  }

  /** The references read so far, each once, without those that another reference implies. */
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
      // An array is read whole, with its items' properties in code-unit order, not in the order of the
      // request.
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
    // An object is returned as a view, which records what is read from it.
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

/** A bag needs no guard: the size limits of a request bound it. */
const UNLIMITED = new Guard({ nowMs: () => 0 });

/**
 * Whether another reference implies this reference: an EXACT one of a parent, or, for a presence, of a value
 * within.
 */
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
