// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag, AttributeValue } from "../../../core/attributes/bag.ts";
import { hasRepeatedFields, Signature } from "../../../core/attributes/signature.ts";
import type { Decision } from "../../../core/check/decision.ts";
import type { AttributeReference } from "../../../expressions/runtime/reads/reference.ts";
import { SieveCache, type SieveEntry } from "../../../kernel/sieve-cache.ts";
import { RecentEntries } from "./recent-entries.ts";

export interface DecisionCacheOptions {
  /** 0 turns the cache off. */
  readonly maxDecisions: number;
  readonly maxCharacters: number;
  readonly maxShapes: number;
}

interface Entry<T> extends SieveEntry {
  readonly shape: Shape;
  readonly value: T;
  readonly expiresAtMs: number;
  usesLeft: number;
  /** The values in the key, for `RecentEntries`. */
  values: readonly AttributeValue[] | undefined;
}

/**
 * A set of attributes that decisions read: requests with the same values of these attributes share a
 * decision.
 */
interface Shape {
  /** Canonical name: independent of the order of the references. */
  readonly name: string;
  readonly id: number;
  /** Prefix of the shape's cache keys, so that keys of different shapes never collide. */
  readonly prefix: string;
  readonly signature: Signature;
}

/** Rough size of an entry besides its key, in characters. */
const ENTRY_CHARACTERS = 400;

/**
 * Caches each decision under the values of exactly the attributes that it read. A lookup tries every known
 * shape and returns the first hit: any cached decision whose reads agree with the request is right for it.
 * Values are compared in full: an attacker could make hashes collide.
 */
export class DecisionCache<T> {
  readonly #entries: SieveCache<Entry<T>> | undefined;
  readonly #recent = new RecentEntries<Entry<T>>();
  readonly #maxShapes: number;
  /** Most useful shape first. */
  readonly #shapes: Shape[] = [];
  #nextShapeId = 0;
  /** The values of the request at hand, in the order of a shape's references; reused by every look-up. */
  readonly #values: AttributeValue[] = [];

  constructor({ maxDecisions, maxCharacters, maxShapes }: DecisionCacheOptions) {
    this.#maxShapes = maxShapes;
    if (maxDecisions > 0)
      this.#entries = new SieveCache({ maxEntries: maxDecisions, maxSize: maxCharacters });
  }

  get size(): number {
    return this.#entries?.size ?? 0;
  }

  /** Finds a decision for `bag`, and counts one use of it. */
  find(bag: AttributeBag, nowMs: number): T | undefined {
    const entries = this.#entries;
    if (entries === undefined) return undefined;
    const shapes = this.#shapes;
    for (let index = 0; index < shapes.length; index++) {
      const entry = this.#entryOf(shapes[index] as Shape, bag, entries);
      if (entry === undefined) continue;
      if (entry.expiresAtMs <= nowMs) {
        entries.delete(entry);
        continue;
      }
      entry.usesLeft--;
      if (entry.usesLeft <= 0) entries.delete(entry);
      if (index > 0) this.#promote(index);
      return entry.value;
    }
    return undefined;
  }

  /**
   * Caches `value` for requests that agree with `bag` in the attributes that `decision` read. Returns false
   * when the decision may not be cached.
   */
  store(bag: AttributeBag, decision: Decision, sinceMs: number, value: T): boolean {
    if (this.#entries === undefined) return false;
    if (!(decision.validDurationMs > 0 && decision.validUseCount > 0)) return false;
    const name = nameOf(decision.referenced);
    const known = this.#shapes.find((shape) => shape.name === name);
    const shape = known ?? this.#newShape(name, decision.referenced);
    // The decision read an attribute that this bag lacks, such as one that a plugin added at the mixer.
    if (!shape.signature.read(bag, this.#values)) return false;
    if (known === undefined) this.#add(shape);
    const key = shape.prefix + shape.signature.textOf(bag, this.#values);
    this.#entries.set({
      key,
      size: key.length + ENTRY_CHARACTERS,
      used: false,
      dropped: false,
      shape,
      value,
      expiresAtMs: sinceMs + decision.validDurationMs,
      usesLeft: decision.validUseCount,
      values: undefined,
    });
    return true;
  }

  clear(): void {
    this.#entries?.clear();
    this.#recent.clear();
    this.#values.length = 0;
    this.#shapes.length = 0;
  }

  #entryOf(shape: Shape, bag: AttributeBag, entries: SieveCache<Entry<T>>): Entry<T> | undefined {
    const values = this.#values;
    const { signature, prefix, id } = shape;
    if (!signature.read(bag, values)) return undefined;
    if (hasRepeatedFields(bag)) return entries.get(prefix + signature.textOf(bag, values));
    const count = signature.length;
    const place = this.#recent.placeOf(id, values, count);
    const recent = this.#recent.at(place, values, count);
    if (recent !== undefined && recent.shape === shape && !recent.dropped) {
      recent.used = true;
      return recent;
    }
    const entry = entries.get(prefix + signature.textOf(bag, values));
    if (entry !== undefined) {
      entry.values ??= signature.valuesIn(entry.key, prefix.length, values);
      if (entry.values !== undefined) this.#recent.put(place, entry);
    }
    return entry;
  }

  #newShape(name: string, references: readonly AttributeReference[]): Shape {
    const id = this.#nextShapeId++;
    return { name, id, prefix: `${id}/`, signature: new Signature(references) };
  }

  #add(shape: Shape): void {
    // Entries of the dropped shape are no longer found, and are evicted in time.
    if (this.#shapes.length >= this.#maxShapes) this.#shapes.pop();
    this.#shapes.push(shape);
  }

  /** Moves a shape forward by one place: useful shapes rise, and two alternating shapes cost only a swap. */
  #promote(index: number): void {
    const shapes = this.#shapes;
    const moved = shapes[index] as Shape;
    shapes[index] = shapes[index - 1] as Shape;
    shapes[index - 1] = moved;
  }
}

function nameOf(references: readonly AttributeReference[]): string {
  return references
    .map(({ path, condition }) => JSON.stringify([condition, ...path]))
    .sort()
    .join();
}
