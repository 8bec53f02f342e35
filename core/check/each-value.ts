// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag } from "../attributes/bag.ts";
import type { AttributeReference } from "../../expressions/runtime/reads/reference.ts";
import {
  isReadAt,
  readsWholeRequest,
  type RepeatedField,
  withOneValue,
  withoutList,
} from "../attributes/repeated.ts";
import type { Meter } from "../../expressions/runtime/reads/meter.ts";
import type { QuotaCharge } from "../quota/quota-charge.ts";
import { chain, type MaybePromise, reduceInOrder } from "../../kernel/maybe-promise.ts";

/** Maximum number of readings of one request. */
export const MAX_READINGS = 32;

/** The result of one reading of a request with repeated fields. */
export interface Reading<T> {
  readonly result: T;
  /** Whether each field that was read had a single value. */
  readonly single: boolean;
}

export interface Readings<T> {
  /** The first reading is the bag itself, with the values joined. */
  readonly all: readonly [Reading<T>, ...Reading<T>[]];
  /** The first result that ended the search, if any. */
  readonly ending: T | undefined;
  /** Whether there are more readings than the maximum, and none that was tried ended the search. */
  readonly exceeded: boolean;
}

export interface Tried {
  readonly referenced: readonly AttributeReference[];
  /** Work of the expressions: all readings of a request share one budget. */
  readonly spent: Meter;
}

/**
 * Tries a request with repeated fields: with their values joined, and with each value of each field that was
 * read (in all combinations), where an expression reads the whole request also without the list of the values. Ends at the first result for which `ends` is true.
 */
export function tryEachValue<T extends Tried>(
  bag: AttributeBag,
  fields: readonly RepeatedField[],
  once: (reading: AttributeBag, spent: Meter | undefined) => MaybePromise<T>,
  ends: (result: T) => boolean,
): MaybePromise<Readings<T>> {
  const all: Reading<T>[] = [];
  let ending: T | undefined;
  let exceeded = false;
  return chain(explore(bag, fields), () => ({
    all: all as [Reading<T>, ...Reading<T>[]],
    ending,
    exceeded: exceeded && ending === undefined,
  }));

  function explore(reading: AttributeBag, open: readonly RepeatedField[]): MaybePromise<void> {
    if (ending !== undefined || exceeded) return;
    if (all.length === MAX_READINGS) {
      exceeded = true;
      return;
    }
    return chain(once(reading, all.at(-1)?.result.spent), (result) => {
      const field = open.find((each) => result.referenced.some((reference) => isReadAt(reference, each)));
      all.push({ result, single: field === undefined });
      if (ends(result)) ending = result;
      if (field === undefined) return;
      const others = open.filter((each) => each !== field);
      // Such as `**."x-role"`, which finds the list of the values too: it would hide the one value.
      const findsList = result.referenced.some(readsWholeRequest);
      return reduceInOrder([...new Set(field.values)], undefined as void, (_, value) => {
        const single = withOneValue(reading, field, value);
        return chain(explore(single, others), () =>
          findsList ? explore(withoutList(single, field), others) : undefined,
        );
      });
    });
  }
}

/** Of several charges to one cell keeps the largest: it is one request, whichever value applies. */
export function largestCharges<T extends Pick<QuotaCharge, "policy" | "cell" | "amount">>(
  charges: readonly T[],
): readonly T[] {
  const largest = new Map<string, T>();
  for (const charge of charges) {
    const key = JSON.stringify([charge.policy, charge.cell]);
    const known = largest.get(key);
    if (known === undefined || charge.amount > known.amount) largest.set(key, charge);
  }
  return [...largest.values()];
}
