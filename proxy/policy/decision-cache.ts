// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { LRUCache } from "lru-cache";
import type { AttributeBag } from "../../core/attributes/bag.ts";
import type { AttributeReference } from "../../expressions/runtime/reads/reference.ts";
import { signatureOf } from "../../core/attributes/signature.ts";
import type { Decision } from "../../core/check/decision.ts";

export interface DecisionCacheOptions {
  /** 0 turns the cache off. */
  readonly maxDecisions: number;
  readonly maxCharacters: number;
  readonly maxShapes: number;
}

interface Entry<T> {
  readonly value: T;
  readonly expiresAtMs: number;
  usesLeft: number;
}

/**
 * A set of attributes that decisions read: requests with the same values of these attributes share a
 * decision.
 */
interface Shape {
  /** Canonical name: independent of the order of the references. */
  readonly name: string;
  /** Prefix of the shape's cache keys, so that keys of different shapes never collide. */
  readonly prefix: string;
  readonly references: readonly AttributeReference[];
}

/** Rough size of an entry besides its key, in characters. */
const ENTRY_CHARACTERS = 200;

/**
 * Caches each decision under the values of exactly the attributes that it read. A lookup tries every known
 * shape and returns the first hit: any cached decision whose reads agree with the request is right for it.
 * Keys are compared in full: an attacker could make hashes collide.
 */
export class DecisionCache<T> {
  readonly #entries: LRUCache<string, Entry<T>> | undefined;
  readonly #maxShapes: number;
  /** Most useful shape first. */
  readonly #shapes: Shape[] = [];
  #nextShapeId = 0;

  constructor({ maxDecisions, maxCharacters, maxShapes }: DecisionCacheOptions) {
    this.#maxShapes = maxShapes;
    if (maxDecisions > 0) {
      this.#entries = new LRUCache({
        max: maxDecisions,
        maxSize: maxCharacters,
        sizeCalculation: (_, key) => key.length + ENTRY_CHARACTERS,
      });
    }
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
      const key = keyOf(shapes[index] as Shape, bag);
      if (key === undefined) continue;
      const entry = entries.get(key);
      if (entry === undefined) continue;
      if (entry.expiresAtMs <= nowMs) {
        entries.delete(key);
        continue;
      }
      entry.usesLeft--;
      if (entry.usesLeft <= 0) entries.delete(key);
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
    const shape = known ?? { name, prefix: `${this.#nextShapeId++}:`, references: decision.referenced };
    const key = keyOf(shape, bag);
    // The decision read an attribute that this bag lacks, such as one that a plugin added at the mixer.
    if (key === undefined) return false;
    if (known === undefined) this.#add(shape);
    this.#entries.set(key, {
      value,
      expiresAtMs: sinceMs + decision.validDurationMs,
      usesLeft: decision.validUseCount,
    });
    return true;
  }

  clear(): void {
    this.#entries?.clear();
    this.#shapes.length = 0;
  }

  #add(shape: Shape): void {
    // Entries of the dropped shape are no longer found, and age out as the least recently used.
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

function keyOf({ prefix, references }: Shape, bag: AttributeBag): string | undefined {
  const signature = signatureOf(bag, references);
  return signature === undefined ? undefined : prefix + signature;
}
