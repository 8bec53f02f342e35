// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { FUNCTION_MARKS, isFunctionMark } from "../calls/function-marks.ts";
import type { DataObject, DataPath, Data } from "../../data.ts";
import type { AttributeReference } from "./reference.ts";

/** A bag that records which parts of it were read. All expressions of a request share one recorder. */
export interface Recorder {
  /**
   * Reads like the bag, and rejects writes. Keys come in code-unit order, so that equal bags enumerate alike.
   */
  readonly view: DataObject;
  /** The references read so far, each once, without those that another reference implies. */
  references(): readonly AttributeReference[];
}

export function createRecorder(bag: DataObject): Recorder {
  const root = new RecordedObject(bag);
  return {
    view: root.view as DataObject,
    references() {
      const references: AttributeReference[] = [];
      root.collect([], references);
      return references;
    },
  };
}

/**
 * The plain object behind a view, so that its size is known without reading it; any other object unchanged.
 */
export function behindView(value: object): object {
  return behindViews.get(value) ?? value;
}

/** Whether `bag` is a recorder's view, or part of one. */
export function isView(bag: DataObject): boolean {
  return behindViews.has(bag);
}

/**
 * A view as plain data, all of which counts as read: serialising a large plain object takes a tenth of the
 * time.
 */
export function readWhole(view: object): object | undefined {
  return recorded.get(view)?.readWhole();
}

/** The object behind each view. A WeakMap, so that a view lives no longer than its request. */
const behindViews = new WeakMap<object, object>();
const recorded = new WeakMap<object, RecordedObject>();

type Branch = { readonly [key: string]: Data | undefined };

/** The result of reading a property: absent, a whole value, or an object that was returned as a view. */
type Reading =
  | { readonly kind: "absent" }
  | { readonly kind: "exact"; readonly value: Data }
  | { readonly kind: "object"; readonly object: RecordedObject };

const ABSENT: Reading = { kind: "absent" };

/**
 * Properties that JSONata, promises and JSON.stringify probe on any object to learn its type. JSONata calls
 * `hasOwnProperty` before it reads an attribute, and never before a probe: so an attribute of such a name (a
 * header called `sequence`) is distinguished from a probe, and a probe finds nothing even if the attribute
 * exists.
 */
const PROBES: ReadonlySet<string> = new Set([
  ..."sequence tupleStream outerWrapper cons signature token position thunk arity then next toJSON constructor".split(
    " ",
  ),
  ...FUNCTION_MARKS,
]);

/**
 * One object of the bag behind its view: a Proxy with an empty target, so that no Proxy invariant of the bag
 * applies.
 */
class RecordedObject implements ProxyHandler<Branch> {
  readonly view: Branch;
  readonly #raw: Branch;
  readonly #readings = new Map<string, Reading>();
  /** True after enumeration: every value in this object has been read. */
  #whole = false;
  #copy: Branch | undefined;
  /** The last property that hasOwnProperty was called for: the next read of it is not a probe. */
  #asked: string | undefined;

  constructor(raw: Branch) {
    this.#raw = raw;
    this.view = new Proxy<Branch>({}, this);
    behindViews.set(this.view, raw);
    recorded.set(this.view, this);
  }

  readWhole(): Branch {
    this.#whole = true;
    return (this.#copy ??= copyOf(this.#raw as Data) as Branch);
  }

  getOwnPropertyDescriptor(_target: Branch, key: string | symbol): PropertyDescriptor | undefined {
    if (typeof key === "symbol") return undefined;
    this.#asked = key;
    const reading = this.#read(key);
    if (reading.kind === "absent") return undefined;
    return { value: valueOf(reading), writable: false, enumerable: true, configurable: true };
  }

  get(_target: Branch, key: string | symbol): unknown {
    if (typeof key === "symbol" || this.#isProbe(key)) return undefined;
    return valueOf(this.#read(key));
  }

  has(_target: Branch, key: string | symbol): boolean {
    return typeof key === "string" && !this.#isProbe(key) && this.#read(key).kind !== "absent";
  }

  ownKeys(): string[] {
    this.#whole = true;
    return Object.keys(this.#raw)
      .filter((key) => this.#raw[key] !== undefined && !isFunctionMark(key, this.#raw[key]))
      .sort();
  }

  /**
   * Ignores writes: JSONata marks a value that it tries to call as a function, and the call then fails by
   * itself.
   */
  set(): boolean {
    return true;
  }

  defineProperty(): boolean {
    return false;
  }

  deleteProperty(): boolean {
    return false;
  }

  collect(path: DataPath, into: AttributeReference[]): void {
    if (this.#whole) {
      into.push({ path, condition: "EXACT" });
      return;
    }
    for (const [key, reading] of this.#readings) {
      const below = [...path, key];
      if (reading.kind === "object") reading.object.#collectPresent(below, into);
      else into.push({ path: below, condition: reading.kind === "exact" ? "EXACT" : "ABSENCE" });
    }
  }

  /**
   * Collects like collect(), and adds the presence of this object unless a present value within it implies
   * that.
   */
  #collectPresent(path: DataPath, into: AttributeReference[]): void {
    const before = into.length;
    this.collect(path, into);
    for (let index = before; index < into.length; index++) {
      if (into[index]?.condition !== "ABSENCE") return;
    }
    into.push({ path, condition: "PRESENCE" });
  }

  #isProbe(key: string): boolean {
    if (!PROBES.has(key) || this.#whole) return false;
    const wasAsked = this.#asked === key;
    // Marks are probed between hasOwnProperty and the read of another property, or of the mark itself.
    if (!FUNCTION_MARKS.includes(key)) this.#asked = undefined;
    return !wasAsked;
  }

  #read(key: string): Reading {
    const known = this.#readings.get(key);
    if (known !== undefined) return known;
    const reading = this.#firstRead(key);
    this.#readings.set(key, reading);
    return reading;
  }

  #firstRead(key: string): Reading {
    const value = Object.hasOwn(this.#raw, key) ? this.#raw[key] : undefined;
    if (value === undefined || isFunctionMark(key, value)) return ABSENT;
    if (typeof value !== "object" || value === null) return { kind: "exact", value };
    if (Array.isArray(value)) return { kind: "exact", value: copyOf(value) };
    return { kind: "object", object: new RecordedObject(value as Branch) };
  }
}

function valueOf(reading: Reading): unknown {
  switch (reading.kind) {
    case "absent":
      return undefined;
    case "exact":
      // JSONata pushes onto an empty array that it groups: each reader gets its own array.
      return Array.isArray(reading.value) && reading.value.length === 0 ? [] : reading.value;
    case "object":
      return reading.object.view;
  }
}

/**
 * A copy of an array, because JSONata writes flags onto arrays. Its items are frozen, with keys in the order
 * of a view.
 */
function copyOf(value: Data): Data {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(copyOf);
  const branch = value as Branch;
  const copy: Record<string, Data> = Object.create(null);
  for (const key of Object.keys(branch).sort()) {
    const member = branch[key];
    if (member !== undefined && !isFunctionMark(key, member)) copy[key] = copyOf(member);
  }
  return Object.freeze(copy);
}
