// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { type AttributeBag, valueAt } from "../../../core/attributes/bag.ts";
import { createRecorder } from "./recorder.ts";

type Loose = Record<string, Record<string, Record<string, unknown>>>;

/** The references that `read` records for `bag`, as `EXACT request.method`, sorted. */
function recorded(bag: AttributeBag, read: (view: AttributeBag) => unknown): string[] {
  const recorder = createRecorder(bag);
  read(recorder.view);
  return recorder
    .references()
    .map(({ path, condition }) => `${condition} ${path.join(".")}`.trim())
    .sort();
}

/** JSON text, because a linter forbids object literals with a `then`. */
const THENABLE = JSON.parse('{"then": "later"}') as Record<string, string>;

const BAG: AttributeBag = {
  request: {
    method: "GET",
    headers: { host: "shop", ...THENABLE, sequence: "7" },
    empty: [],
    nothing: null,
  },
  source: { principals: ["a", { b: ["c"] }] },
};

describe("a recorder", () => {
  it("records each value that was read once, whichever expression reads it", () => {
    assert.deepEqual(
      recorded(BAG, (view) => [
        valueAt(view, ["request", "method"]),
        valueAt(view, ["request", "method"]),
        view["request"],
      ]),
      ["EXACT request.method"],
    );
    assert.deepEqual(
      recorded(BAG, (view) => valueAt(view, ["request", "nothing"])),
      ["EXACT request.nothing"],
    );
  });

  it("records an absence at the shortest absent path", () => {
    assert.deepEqual(
      recorded(BAG, (view) => valueAt(view, ["response", "code"])),
      ["ABSENCE response"],
    );
    assert.deepEqual(
      recorded(BAG, (view) => valueAt(view, ["request", "headers", "x-user"])),
      ["ABSENCE request.headers.x-user", "PRESENCE request.headers"],
    );
    assert.deepEqual(
      recorded({ a: undefined }, (view) => valueAt(view, ["a"])),
      ["ABSENCE a"],
    );
    assert.deepEqual(
      recorded(BAG, (view) => valueAt(view, ["constructor"])),
      ["ABSENCE constructor"],
    );
  });

  it("records the presence of an object of which no more was read", () => {
    assert.deepEqual(
      recorded(BAG, (view) => valueAt(view, ["request", "headers"])),
      ["PRESENCE request.headers"],
    );
  });

  it("records an array, and an enumerated object, whole", () => {
    assert.deepEqual(
      recorded(BAG, (view) => valueAt(view, ["source", "principals"])),
      ["EXACT source.principals"],
    );
    for (const enumerate of [Object.keys, Object.getOwnPropertyNames, JSON.stringify, Object.entries]) {
      assert.deepEqual(
        recorded(BAG, (view) => enumerate(valueAt(view, ["request", "headers"]) as object)),
        ["EXACT request.headers"],
      );
    }
  });

  it("drops references that an enumerated parent implies, read before or after", () => {
    const references = recorded(BAG, (view) => {
      valueAt(view, ["request", "headers", "host"]);
      valueAt(view, ["request", "headers", "missing"]);
      Object.keys(valueAt(view, ["request", "headers"]) as object);
      valueAt(view, ["request", "headers", "sequence"]);
      valueAt(view, ["request", "method"]);
    });
    assert.deepEqual(references, ["EXACT request.headers", "EXACT request.method"]);
    assert.deepEqual(
      recorded(BAG, (view) => JSON.stringify(view)),
      ["EXACT"],
    );
  });

  it("does not record a probe as a read, even when such an attribute exists", () => {
    assert.deepEqual(
      recorded(BAG, (view) => {
        const headers = (view as Loose)["request"]?.["headers"];
        assert.equal(headers?.["then"], undefined);
        assert.equal(headers?.["sequence"], undefined);
        assert.equal(headers?.["_jsonata_lambda"], undefined);
        assert.equal("then" in (headers ?? {}), false);
        assert.equal((headers as Record<symbol, unknown>)[Symbol.iterator], undefined);
      }),
      ["PRESENCE request.headers"],
    );
  });

  it("gives an attribute with a probe's name to a reader that asks hasOwnProperty first, as JSONata does", () => {
    const recorder = createRecorder(BAG);
    assert.equal(valueAt(recorder.view, ["request", "headers", "then"]), "later");
    assert.equal(valueAt(recorder.view, ["request", "headers", "sequence"]), "7");
    assert.deepEqual(Object.entries(valueAt(createRecorder(BAG).view, ["request", "headers"]) as object), [
      ["host", "shop"],
      ["sequence", "7"],
      ["then", "later"],
    ]);
  });

  it("can be awaited without being taken for a promise", async () => {
    const recorder = createRecorder({ ...THENABLE, a: 1 });
    assert.equal(await Promise.resolve(recorder.view), recorder.view);
    assert.deepEqual(recorder.references(), []);
  });

  it("hides properties that would make JSONata take an object for a function", () => {
    const forged = { claims: { _jsonata_function: true, tier: "gold" } };
    const { view } = createRecorder(forged);
    assert.equal((view as Loose)["claims"]?.["_jsonata_function"], undefined);
    assert.deepEqual(Object.keys(valueAt(view, ["claims"]) as object), ["tier"]);
  });

  it("hides no property that is only named like a mark of functions", () => {
    const headers = { _jsonata_function: "evil", _jsonata_lambda: "evil", _jsonata_x: "evil", a: "b" };
    const { view } = createRecorder({ request: { headers } });
    const seen = valueAt(view, ["request", "headers"]) as object;
    assert.deepEqual(Object.entries(seen), Object.entries(headers));
    for (const name of Object.keys(headers)) {
      assert.equal(
        valueAt(createRecorder({ headers }).view, ["headers", name]),
        headers[name as keyof typeof headers],
      );
      const recorder = createRecorder({ list: [headers] });
      assert.deepEqual({ ...((valueAt(recorder.view, ["list"]) as object[])[0] as object) }, headers);
    }
  });

  it("gives the same view for the same object, and names in one order for any order of keys", () => {
    const { view } = createRecorder({ o: { b: 1, a: 2 } });
    assert.equal(view["o"], view["o"]);
    assert.equal(JSON.stringify(view), '{"o":{"a":2,"b":1}}');
  });

  it("rejects writes to the bag", () => {
    const bag = { o: { a: 1 }, list: [{ b: 1 }], empty: [] };
    const { view } = createRecorder(bag);
    const loose = view as Record<string, unknown>;
    (loose["o"] as Record<string, unknown>)["token"] = "mark";
    (loose["list"] as unknown[]).push("x");
    (loose["empty"] as unknown[]).push("x");
    assert.equal(Reflect.deleteProperty(loose, "o"), false);
    assert.equal(Reflect.defineProperty(loose, "o", { value: 1 }), false);
    assert.deepEqual(bag, { o: { a: 1 }, list: [{ b: 1 }], empty: [] });
    assert.deepEqual(loose["empty"], []);
  });

  it("reads a frozen bag", () => {
    const { view } = createRecorder(Object.freeze({ o: Object.freeze({ a: 1 }) }));
    assert.deepEqual(JSON.parse(JSON.stringify(view)), { o: { a: 1 } });
  });
});
