// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Random } from "fast-check";

/** Random choices from fast-check's seeded generator. */
export class Draw {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** An integer from `min` to `max`, inclusive. */
  int(min: number, max: number): number {
    return this.#random.nextInt(min, max);
  }

  /** True with a probability of `percent` %. */
  odds(percent: number): boolean {
    return this.#random.nextInt(0, 99) < percent;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.#random.nextInt(0, items.length - 1)];
    if (item === undefined) throw new Error("nothing to pick from");
    return item;
  }

  times<T>(min: number, max: number, make: (index: number) => T): T[] {
    return Array.from({ length: this.int(min, max) }, (_, index) => make(index));
  }
}
