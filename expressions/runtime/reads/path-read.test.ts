// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createJsonataCompiler } from "../../../core/expressions/jsonata-engine.ts";
import { type PathRead, PathTable } from "./path-read.ts";
import { Reads } from "./reads.ts";

/** More paths than the slots of a request. */
const MANY = 600;

describe("the path table of an engine", () => {
  it("has one object for each path", () => {
    const paths = new PathTable();
    assert.equal(paths.of(["request", "method"]), paths.of(["request", "method"]));
    assert.notEqual(paths.of(["request", "method"]), paths.of(["request.method"]));
    assert.notEqual(paths.of(["a"]), new PathTable().of(["a"]));
  });

  it("never mixes up paths that share a slot", () => {
    const paths = new PathTable();
    const bag = Object.fromEntries(Array.from({ length: MANY }, (_, index) => [`a${index}`, index]));
    const all = Object.keys(bag).map((name) => paths.of([name]));
    const bySlot = new Map<number, PathRead[]>();
    for (const path of all) bySlot.set(path.slot, [...(bySlot.get(path.slot) ?? []), path]);
    assert.ok([...bySlot.values()].every(({ length }) => length > 1));
    const reads = new Reads(bag);
    for (let turn = 0; turn < 2; turn++)
      for (const path of all) assert.equal(reads.valueOf(path), bag[path.names[0] ?? ""]);
    assert.equal(reads.references().length, MANY);
  });

  it("finds a value once for each request, also an absent value", () => {
    const path = new PathTable().of(["a", "b"]);
    let found = 0;
    const bagOf = (b: string) => ({
      get a() {
        found++;
        return { b };
      },
    });
    const [first, second] = [new Reads(bagOf("x")), new Reads(bagOf("y"))];
    assert.deepEqual([first.valueOf(path), first.valueOf(path)], ["x", "x"]);
    assert.deepEqual([second.valueOf(path), first.valueOf(path)], ["y", "x"]);
    assert.equal(found, 2);
    const absent = new Reads({});
    assert.deepEqual([absent.valueOf(path), absent.valueOf(path)], [undefined, undefined]);
    assert.deepEqual(absent.references(), [{ path: ["a"], condition: "ABSENCE" }]);
  });

  it("may share the reads of a request with another engine's table", () => {
    const evaluated = ["a", "b"].map((source) => {
      const result = createJsonataCompiler()(source);
      assert.ok(result.ok);
      return result.expression;
    });
    const bag = { a: 1, b: 2 };
    const reads = new Reads(bag);
    const values = [...evaluated, ...evaluated].map((expression) =>
      expression.evaluate(bag, { nowMs: 0, reads }),
    );
    assert.deepEqual(values, [1, 2, 1, 2]);
  });
});
