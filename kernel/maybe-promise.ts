// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Values that are often available at once and sometimes awaited. The check path must not yield to the event
 * loop when the answer is already known, so its steps return `MaybePromise` and are chained with `chain`.
 */

export type MaybePromise<T> = T | Promise<T>;

export function isPromise<T>(value: MaybePromise<T>): value is Promise<T> {
  return (
    typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function"
  );
}

/** Calls `next` at once when `value` is not a promise, otherwise when the promise is fulfilled. */
export function chain<T, U>(value: MaybePromise<T>, next: (value: T) => MaybePromise<U>): MaybePromise<U> {
  return isPromise(value) ? value.then(next) : next(value);
}

/**
 * `chain` for the steps of every request: `next` takes what a closure would capture. A function whose
 * variables a closure captures allocates them on the heap whenever it is called.
 */
export function chainWith<T, U, A, B>(
  value: MaybePromise<T>,
  next: (value: T, first: A, second: B) => MaybePromise<U>,
  first: A,
  second: B,
): MaybePromise<U> {
  return isPromise(value) ? later(value, next, first, second) : next(value, first, second);
}

function later<T, U, A, B>(
  value: Promise<T>,
  next: (value: T, first: A, second: B) => MaybePromise<U>,
  first: A,
  second: B,
): Promise<U> {
  return value.then((known) => next(known, first, second));
}

/**
 * The value of a step that never waits.
 *
 * @throws Error when it does wait: a programmer's mistake.
 */
export function atOnce<T>(value: MaybePromise<T>): T {
  if (isPromise(value)) throw new Error("a step that never waits returned a promise");
  return value;
}

/** `try { step } catch { recover }` for a step that may be synchronous or asynchronous. */
export function attempt<T>(
  step: () => MaybePromise<T>,
  recover: (error: unknown) => MaybePromise<T>,
): MaybePromise<T> {
  try {
    const value = step();
    return isPromise(value) ? value.catch(recover) : value;
  } catch (error) {
    return recover(error);
  }
}

/** Folds `items` in order; stays synchronous for as long as every step does. */
export function reduceInOrder<T, A>(
  items: readonly T[],
  initial: A,
  step: (accumulator: A, item: T, index: number) => MaybePromise<A>,
): MaybePromise<A> {
  let accumulator: A = initial;
  for (let index = 0; index < items.length; index++) {
    const next = step(accumulator, items[index] as T, index);
    if (isPromise(next)) return continueInOrder(items, index + 1, next, step);
    accumulator = next;
  }
  return accumulator;
}

async function continueInOrder<T, A>(
  items: readonly T[],
  from: number,
  pending: Promise<A>,
  step: (accumulator: A, item: T, index: number) => MaybePromise<A>,
): Promise<A> {
  let accumulator = await pending;
  for (let index = from; index < items.length; index++) {
    accumulator = await step(accumulator, items[index] as T, index);
  }
  return accumulator;
}

/** Resolves when all of the waits do; undefined when there is nothing to wait for. */
export function whenAll(waits: readonly (Promise<void> | undefined)[]): Promise<void> | undefined {
  const pending = waits.filter((wait) => wait !== undefined);
  return pending.length === 0 ? undefined : Promise.all(pending).then(() => undefined);
}
