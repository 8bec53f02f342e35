// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { compiled } from "../../test/support/checked-expression.ts";
import { expression } from "../../test/support/snapshots.ts";
import type { AttributeBag } from "../attributes/bag.ts";
import { evaluate, Fault } from "../check/evaluation.ts";
import { Column } from "./column.ts";
import { ColumnRecord } from "./column-record.ts";
import { ReportScope } from "./report-scope.ts";

const scopeOf = (bag: AttributeBag): ReportScope => new ReportScope(bag, 0);
const column = (source: string): Column => new Column({ kind: "expression", expression: compiled(source) });

const NAMES = ["a", "b", "constructor", "length", "toString"] as const;
const VALUE = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom<unknown>("", "text", 0, -1.5, true, false, null, undefined),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...NAMES), tie("value")),
  ),
})).value;

describe("a column of a report document", () => {
  it("has the value that the engine gives, for any path and bag", () => {
    const sources = fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(sources, fc.dictionary(fc.constantFrom(...NAMES), VALUE), (names, bag) => {
        const source = names.join(".");
        const scope = scopeOf(bag as AttributeBag);
        assert.deepEqual(
          column(source).read(scope),
          evaluate(compiled(source), scopeOf(bag as AttributeBag)),
        );
      }),
      { numRuns: 200 },
    );
  });

  it("reads own attributes alone", () => {
    const bag: AttributeBag = { request: { headers: {} } };
    for (const source of ["constructor", "request.headers.toString", "request.method.length"])
      assert.equal(column(source).read(scopeOf(bag)), undefined, source);
  });

  it("shares no part of a value with the bag", () => {
    const bag = { request: { headers: { a: "1" }, list: ["x"] } };
    const headers = column("request.headers").read(scopeOf(bag));
    assert.deepEqual(headers, { a: "1" });
    assert.notEqual(headers, bag.request.headers);
    assert.notEqual(column("request.list").read(scopeOf(bag)), bag.request.list);
  });

  it("needs no engine for literals and paths", () => {
    const scope = scopeOf({ response: { code: 200 } });
    Object.defineProperty(scope, "context", { get: () => assert.fail("the engine was asked") });
    assert.equal(column("response.code").read(scope), 200);
    assert.equal(column("response.headers.etag").read(scope), undefined);
    assert.equal(new Column({ kind: "literal", value: 7 }).read(scope), 7);
  });
});

describe("a record of a report document", () => {
  const text = (value: unknown) => (value === undefined ? undefined : JSON.stringify(value));
  const recordOf = (values: readonly (() => unknown)[]) =>
    new ColumnRecord(
      values.map((value, index) => [`k${index}`, { kind: "expression", expression: expression(value) }]),
      text,
    );

  it("has its document's keys in order, without absent ones, and inherits nothing", () => {
    const keys = ["b", "constructor", "__proto__", "a"];
    const record = new ColumnRecord(
      keys.map((key) => [key, { kind: "literal", value: key }]),
      text,
    ).fill(scopeOf({})) as Record<string, string>;
    assert.deepEqual(
      Object.entries(record),
      keys.map((key) => [key, JSON.stringify(key)]),
    );
    assert.deepEqual(Object.keys(record), keys);
    const empty = recordOf([() => undefined]).fill(scopeOf({})) as Record<string, string>;
    assert.deepEqual(
      ["constructor", "__proto__", "toString", "k0"].filter((key) => key in empty),
      [],
    );
  });

  it("waits for the values that come later, in order", async () => {
    const later = (value: unknown) => () => Promise.resolve(value);
    const record = recordOf([() => 1, later(2), later(undefined), () => 4]).fill(scopeOf({}));
    assert.deepEqual(Object.entries(await record), [
      ["k0", "1"],
      ["k1", "2"],
      ["k3", "4"],
    ]);
  });

  it("is the first fault, whether it comes at once or later", async () => {
    const fails = (message: string) => () => {
      throw new Error(message);
    };
    let asked = 0;
    const atOnce = recordOf([() => 1, fails("one"), () => asked++]).fill(scopeOf({}));
    assert.ok(atOnce instanceof Fault && atOnce.detail === "one");
    const later = recordOf([() => Promise.reject(new Error("two")), () => asked++]).fill(scopeOf({}));
    assert.ok(((await later) as unknown) instanceof Fault);
    assert.equal(asked, 0);
  });
});
