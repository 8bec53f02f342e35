// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { constructorOf } from "../../kernel/canonical/record-shapes.ts";
import { isPromise, type MaybePromise } from "../../kernel/maybe-promise.ts";
import { Fault } from "../check/evaluation.ts";
import type { ComputedMap } from "../snapshot/snapshot.ts";
import { Column } from "./column.ts";
import type { ReportScope } from "./report-scope.ts";

/** The labels, variables or tags of a document, prepared once per snapshot. */
export class ColumnRecord<T> {
  readonly #columns: readonly Column[];
  readonly #convert: (value: unknown) => T | undefined;
  /**
   * Makes records that have all keys. It is compiled, so that V8 gives them a fixed shape: 25 ns for six keys,
   * where a loop over the keys takes 125 ns and a dictionary (`Object.create(null)`) 500 ns.
   */
  readonly #Whole: RecordConstructor<T> | undefined;
  /** Makes empty records, for those without a value for each key. */
  readonly #Empty: RecordConstructor<T>;
  /** key, value, key, value … of the record that is being filled; nothing else runs meanwhile. */
  readonly #flat: (string | T | undefined)[];

  /** @param convert Converts a value, undefined for an absent one; the record omits what becomes undefined. */
  constructor(map: ComputedMap, convert: (value: unknown) => T | undefined) {
    const flat = map.flatMap(([key]) => [key, ""]);
    this.#columns = map.map(([, computed]) => new Column(computed));
    this.#convert = convert;
    this.#Whole = constructorOf(flat) as unknown as RecordConstructor<T> | undefined;
    this.#Empty = emptyConstructor<T>();
    this.#flat = flat;
  }

  /** The record for the scope's bag, or the first fault. */
  fill(scope: ReportScope): MaybePromise<Readonly<Record<string, T>> | Fault> {
    const columns = this.#columns;
    const flat = this.#flat;
    for (let index = 0; index < columns.length; index++) {
      const value = (columns[index] as Column).read(scope);
      if (isPromise(value)) return this.#fillLater(scope, [...flat], index, value);
      if (value instanceof Fault) return value;
      flat[2 * index + 1] = this.#convert(value);
    }
    return this.#recordOf(flat);
  }

  async #fillLater(
    scope: ReportScope,
    flat: (string | T | undefined)[],
    from: number,
    pending: Promise<unknown>,
  ): Promise<Readonly<Record<string, T>> | Fault> {
    let value = await pending;
    for (let index = from; ; index++) {
      if (value instanceof Fault) return value;
      flat[2 * index + 1] = this.#convert(value);
      const next = this.#columns[index + 1];
      if (next === undefined) return this.#recordOf(flat);
      value = await next.read(scope);
    }
  }

  #recordOf(flat: readonly (string | T | undefined)[]): Record<string, T> {
    if (this.#Whole !== undefined && !flat.includes(undefined)) return new this.#Whole(flat);
    const record = new this.#Empty(flat);
    for (let index = 0; index < flat.length; index += 2) {
      const value = flat[index + 1] as T | undefined;
      if (value !== undefined) record[flat[index] as string] = value;
    }
    return record;
  }
}

type RecordConstructor<T> = new (flat: readonly (string | T | undefined)[]) => Record<string, T>;

/**
 * A constructor of records that inherit nothing, since `constructor` is a valid label. Each document has its
 * own, so that V8 keeps few shapes for it.
 */
function emptyConstructor<T>(): RecordConstructor<T> {
  const Empty = function (): void {};
  Empty.prototype = Object.create(null) as object;
  return Empty as unknown as RecordConstructor<T>;
}
