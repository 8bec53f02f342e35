// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag } from "../../core/attributes/bag.ts";
import { repeatedFields } from "../../core/attributes/repeated.ts";
import { tryEachValue } from "../../core/check/each-value.ts";
import type { Expression } from "../../core/expressions/expression.ts";
import { DEFAULT_PRIORITY, PRIORITIES, priorityOf } from "../../core/traffic/overload/priority.ts";
import { Reads } from "../../expressions/runtime/reads/reads.ts";
import type { Meter } from "../../expressions/runtime/reads/meter.ts";
import { chain, isPromise, type MaybePromise } from "../../kernel/maybe-promise.ts";
import type { Clock } from "../../kernel/ports.ts";
import type { OverloadGate } from "./overload-gate.ts";

/** An Overload document at work for one cluster: the priorities of its requests, and the gate that they pass. */
export class Overload {
  readonly gate: OverloadGate;
  readonly #expression: Expression | undefined;
  readonly #clock: Clock;

  /** @param expression Undefined: all requests are equal. */
  constructor(gate: OverloadGate, expression: Expression | undefined, clock: Clock) {
    this.gate = gate;
    this.#expression = expression;
    this.#clock = clock;
  }

  /**
   * The request's priority, 0 to 7. With a repeated header, the least important of all readings: a client must not
   * gain by a second value.
   */
  priorityOf(bag: AttributeBag): MaybePromise<number> {
    const expression = this.#expression;
    if (expression === undefined) return DEFAULT_PRIORITY;
    const fields = repeatedFields(bag);
    if (fields.length === 0) return this.#evaluate(expression, bag, undefined);
    const once = (reading: AttributeBag, spent: Meter | undefined) => {
      const reads = new Reads(reading, spent);
      const read = {
        spent: reads,
        get referenced() {
          return reads.references();
        },
      };
      return chain(this.#evaluate(expression, reading, reads), (priority) =>
        Object.assign(read, { priority }),
      );
    };
    const isLast = ({ priority }: { readonly priority: number }): boolean => priority === PRIORITIES - 1;
    return chain(tryEachValue(bag, fields, once, isLast), ({ all, exceeded }) =>
      exceeded ? PRIORITIES - 1 : Math.max(...all.map(({ result }) => result.priority)),
    );
  }

  #evaluate(expression: Expression, bag: AttributeBag, reads: Reads | undefined): MaybePromise<number> {
    const nowMs = this.#clock.nowMs();
    try {
      const value = expression.evaluate(bag, reads === undefined ? { nowMs } : { nowMs, reads });
      return isPromise(value)
        ? value.then((known) => this.#priority(known)).catch(() => this.#fault())
        : this.#priority(value);
    } catch {
      return this.#fault();
    }
  }

  #priority(value: unknown): number {
    if (value === undefined) return DEFAULT_PRIORITY;
    return priorityOf(value) ?? this.#fault();
  }

  #fault(): number {
    this.gate.priorityFaultsTotal++;
    return DEFAULT_PRIORITY;
  }
}
