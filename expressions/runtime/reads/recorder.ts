// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { DataObject, DataPath, Data } from "../../data.ts";
import type { AttributeReference } from "./reference.ts";

/** A bag that remembers what was read of it. One is shared by all expressions of a request. */
export interface Recorder {
  /** Reads like the bag, and cannot be written. Keys come in code-unit order, so that equal bags enumerate alike. */
  readonly view: DataObject;
  /** References to everything read so far: each once, and none that another implies. */
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

/** The plain object behind a view, so that its size can be told without reading it; anything else unchanged. */
export function behindView(value: object): object {
  return behindViews.get(value) ?? value;
}

/** Whether `bag` is a recorder's view, or part of one. */
export function isView(bag: DataObject): boolean {
  return behindViews.has(bag);
}

/** A view as plain data, all of which counts as read: writing out a large one takes a tenth of the time then. */
export function readWhole(view: object): object | undefined {
  return recorded.get(view)?.readWhole();
}

/** Weak, and by the view, whose properties are those of the bag alone: it lives no longer than its request. */
const behindViews = new WeakMap<object, object>();
const recorded = new WeakMap<object, RecordedObject>();

type Branch = { readonly [key: string]: Data | undefined };

/** The result of reading a property: no value, a whole value, or an object that was handed out as a view. */
type Reading =
  | { readonly kind: "absent" }
  | { readonly kind: "exact"; readonly value: Data }
  | { readonly kind: "object"; readonly object: RecordedObject };

const ABSENT: Reading = { kind: "absent" };

/**
 * Properties that JSONata, promises and JSON.stringify look for on any object to learn what sort it is. JSONata asks
 * `hasOwnProperty` before it reads an attribute and never before a probe: that is how an attribute of the same name
 * (a header called `sequence`) is told from one, and why a probe finds nothing even when there is such an attribute.
 */
const PROBES: ReadonlySet<string> = new Set(
  "sequence tupleStream outerWrapper cons signature token position thunk arity then next toJSON constructor".split(
    " ",
  ),
);

/** JSONata takes any object with such a property for a function: claims of a token must not become one. */
const RESERVED_PREFIX = "_jsonata_";

/** One object of the bag behind its view: a proxy around an empty target, so that no invariant of the bag binds it. */
class RecordedObject implements ProxyHandler<Branch> {
  readonly view: Branch;
  readonly #raw: Branch;
  readonly #readings = new Map<string, Reading>();
  /** Set by enumeration: everything in here has been read. */
  #whole = false;
  #copy: Branch | undefined;
  /** The property that hasOwnProperty was last asked for: reading it next is no probe. */
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
      .filter((key) => this.#raw[key] !== undefined && !key.startsWith(RESERVED_PREFIX))
      .sort();
  }

  /** JSONata marks what it tries to call as a function; a view stays as it is, and the call fails by itself. */
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

  /** Like collect, and that this object is there at all, unless something in it that was there says so. */
  #collectPresent(path: DataPath, into: AttributeReference[]): void {
    const before = into.length;
    this.collect(path, into);
    for (let index = before; index < into.length; index++) {
      if (into[index]?.condition !== "ABSENCE") return;
    }
    into.push({ path, condition: "PRESENCE" });
  }

  #isProbe(key: string): boolean {
    if (key.startsWith(RESERVED_PREFIX)) return true;
    if (!PROBES.has(key) || this.#whole) return false;
    const wasAsked = this.#asked === key;
    this.#asked = undefined;
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
    if (value === undefined || key.startsWith(RESERVED_PREFIX)) return ABSENT;
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
      // JSONata pushes onto an empty array that it groups: each reader gets its own.
      return Array.isArray(reading.value) && reading.value.length === 0 ? [] : reading.value;
    case "object":
      return reading.object.view;
  }
}

/** JSONata writes flags onto arrays: it gets copies. What is in them is frozen, and in the order of a view. */
function copyOf(value: Data): Data {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(copyOf);
  const branch = value as Branch;
  const copy: Record<string, Data> = Object.create(null);
  for (const key of Object.keys(branch).sort()) {
    const member = branch[key];
    if (member !== undefined && !key.startsWith(RESERVED_PREFIX)) copy[key] = copyOf(member);
  }
  return Object.freeze(copy);
}
