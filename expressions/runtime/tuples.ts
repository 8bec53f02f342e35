// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Guard } from "./guard.ts";
import { createSequence, type Sequence } from "./sequence.ts";
import { select } from "./path.ts";

/**
 * An item of a tuple stream with its bindings: `@` is its context, other keys are variables and ancestors.
 */
export type Tuple = Record<string, unknown>;

export type TupleStep = (context: unknown, tuple: Tuple) => unknown;

export interface TupleStepForm {
  /** The variable of `@$name`. */
  readonly focus?: string | undefined;
  /** The variable of `#$name`. */
  readonly index?: string | undefined;
  /** The label under which `%` finds the context. */
  readonly ancestor?: string | undefined;
}

export type TupleStage =
  | { readonly kind: "filter"; readonly predicate: TupleStep }
  | { readonly kind: "at"; readonly index: number }
  | { readonly kind: "index"; readonly name: string };

export function tuplesOf(items: readonly unknown[]): Tuple[] {
  return items.map((item) => {
    const tuple = Object.create(null) as Tuple;
    tuple["@"] = item;
    return tuple;
  });
}

/**
 * Takes one step from each tuple; each result is a tuple with the bindings of the tuple that it came from.
 */
export function takeTupleStep(
  guard: Guard,
  tuples: readonly Tuple[],
  step: TupleStep,
  { focus, index: position, ancestor }: TupleStepForm,
): Sequence {
  const stream = createSequence();
  stream.tupleStream = true;
  for (const from of tuples) {
    guard.tick();
    const result = step(from["@"], from);
    if (result === undefined) continue;
    const items = (Array.isArray(result) ? result : [result]) as Sequence;
    items.forEach((item, index) => {
      const tuple = Object.assign(Object.create(null), from) as Tuple;
      if (items.tupleStream === true) Object.assign(tuple, item);
      else {
        if (focus === undefined) tuple["@"] = item;
        else {
          tuple[focus] = item;
          tuple["@"] = from["@"];
        }
        if (position !== undefined) tuple[position] = index;
        if (ancestor !== undefined) tuple[ancestor] = from["@"];
      }
      stream.push(tuple);
    });
    guard.sequence(stream.length);
  }
  return stream;
}

/** Applies the stages after a step: predicates, and `#$name` after one of them. */
export function applyStages(guard: Guard, stream: unknown, stages: readonly TupleStage[]): unknown {
  let current = stream;
  for (const stage of stages) {
    if (stage.kind === "index") (current as Tuple[]).forEach((tuple, index) => (tuple[stage.name] = index));
    else if (stage.kind === "at") current = pickTuple(current as Sequence, stage.index);
    else current = filterTuples(guard, current, stage.predicate);
  }
  return current;
}

function pickTuple(stream: Sequence, position: number): unknown {
  const results = createSequence();
  if (stream.tupleStream === true) results.tupleStream = true;
  const at = Math.floor(position);
  const item: unknown = stream[at < 0 ? stream.length + at : at];
  if (item !== undefined) results.push(item);
  return results;
}

/** A predicate after a tuple stream. If the input has no tuples, its items are filtered as they are. */
export function filterTuples(guard: Guard, input: unknown, predicate: TupleStep): Sequence {
  const stream = (Array.isArray(input) ? input : [input]) as Sequence;
  const results = createSequence();
  if (stream.tupleStream === true) results.tupleStream = true;
  stream.forEach((item, index) => {
    guard.tick();
    const tuple = (stream.tupleStream === true ? item : NO_TUPLE) as Tuple;
    const given = predicate(stream.tupleStream === true ? tuple["@"] : item, tuple);
    select(guard, results, given, item, index, stream.length);
  });
  return results;
}

const NO_TUPLE: Tuple = Object.freeze(Object.create(null)) as Tuple;

/** The contexts of a tuple stream, when its bindings are no longer needed. */
export function contextsOf(stream: readonly unknown[]): Sequence {
  return createSequence(stream.map((tuple) => (tuple as Tuple)["@"]));
}

/** Tuples of items that were sorted before any binding, each with its index under `name`. */
export function numberTuples(items: readonly unknown[], name: string): Sequence {
  const stream = createSequence(tuplesOf(items));
  stream.tupleStream = true;
  stream.forEach((tuple, index) => ((tuple as Tuple)[name] = index));
  return stream;
}
