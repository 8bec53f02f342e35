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

/** A set of attributes that decisions read: requests that agree in them share a decision. */
interface Shape {
  /** The same for the same references in whatever order. */
  readonly name: string;
  /** Begins every key, so that the keys of different shapes never meet. */
  readonly prefix: string;
  readonly references: readonly AttributeReference[];
}

/** What an entry weighs besides its key: the decision itself, roughly. */
const ENTRY_CHARACTERS = 200;

/**
 * Decisions, each under exactly what it read. A lookup tries every known shape: a decision is right for all requests
 * that agree in its reads, so whichever is found first is right. Keys are compared whole, never by a hash alone, which
 * an attacker could make collide.
 */
export class DecisionCache<T> {
  readonly #entries: LRUCache<string, Entry<T>> | undefined;
  readonly #maxShapes: number;
  /** The most useful first. */
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

  /** A decision that holds for `bag`; uses it once. */
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

  /** Keeps `value` for requests that agree with `bag` in what `decision` read. False when it may not be kept. */
  store(bag: AttributeBag, decision: Decision, sinceMs: number, value: T): boolean {
    if (this.#entries === undefined) return false;
    if (!(decision.validDurationMs > 0 && decision.validUseCount > 0)) return false;
    const name = nameOf(decision.referenced);
    const known = this.#shapes.find((shape) => shape.name === name);
    const shape = known ?? { name, prefix: `${this.#nextShapeId++}:`, references: decision.referenced };
    const key = keyOf(shape, bag);
    // The decision read something that this bag does not say, such as what a plugin added at the mixer.
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
    // What the last shape led to is found no more, and goes as the least recently used.
    if (this.#shapes.length >= this.#maxShapes) this.#shapes.pop();
    this.#shapes.push(shape);
  }

  /** One step forward: useful shapes rise, and two that take turns cost no more than a swap. */
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
