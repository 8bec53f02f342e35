// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";

import { HeaderList } from "./header-list.ts";
import { UnsendableHead } from "./unsendable-head.ts";

const NAMES = ["a", "b", "cookie", "__proto__"];
const fields = fc.array(fc.tuple(fc.constantFrom(...NAMES), fc.string({ maxLength: 3 })), { maxLength: 8 });

describe("HeaderList", () => {
  it("joins repeated fields with commas, cookies with semicolons", () => {
    const headers = HeaderList.fromRaw(["X-A", "1", "Cookie", "c=1", "x-a", "2", "cookie", "d=2"]);
    assert.equal(headers.get("x-a"), "1, 2");
    assert.equal(headers.get("cookie"), "c=1; d=2");
    assert.equal(headers.get("x-b"), undefined);
    assert.deepEqual(headers.values("x-a"), ["1", "2"]);
  });

  it("set leaves one field of the name, at the first one's place, and touches no other", () => {
    fc.assert(
      fc.property(fields, fc.constantFrom(...NAMES), (pairs, name) => {
        const headers = new HeaderList(pairs.flat());
        headers.set(name, "new");
        const at = pairs.findIndex(([one]) => one === name);
        const others = pairs.filter(([one]) => one !== name);
        const place = at < 0 ? others.length : pairs.slice(0, at).length;
        assert.deepEqual(headers.flat(), others.toSpliced(place, 0, [name, "new"]).flat());
      }),
    );
  });

  it("setPlain and appendPlain do what set and append do, for parsed fields too", () => {
    const texts = fc.array(fc.tuple(fc.constantFrom("A", "b", "Content-Type"), fc.constantFrom("1", "2")));
    const change = fc.record({
      name: fc.constantFrom("a", "b", "content-type"),
      value: fc.constantFrom("1", "2"),
      appends: fc.boolean(),
    });
    fc.assert(
      fc.property(texts, fc.array(change, { maxLength: 4 }), (pairs, changes) => {
        const [plain, tested] = [HeaderList.fromRaw(pairs.flat()), HeaderList.fromRaw(pairs.flat())];
        for (const { name, value, appends } of changes) {
          if (appends) plain.appendPlain(name, value);
          else plain.setPlain(name, value);
          if (appends) tested.append(name, value);
          else tested.set(name, value);
        }
        assert.equal(plain.wireText(), tested.wireText());
        assert.deepEqual(plain.flat(), tested.flat());
        assert.equal(plain.byteLength(), tested.byteLength());
        assert.equal(plain.isAscii(), true);
      }),
    );
  });

  it("tests what others set after a plain value", () => {
    const headers = new HeaderList();
    headers.setPlain("a", "1");
    headers.set("a", "1\r\nb: 2");
    assert.throws(() => headers.wireText(), UnsendableHead);
    headers.set("a", "é");
    assert.equal(headers.isAscii(), false);
  });

  it("remove deletes every field of the name, and no other", () => {
    fc.assert(
      fc.property(fields, fc.constantFrom(...NAMES), (pairs, name) => {
        const headers = new HeaderList(pairs.flat());
        headers.remove(name);
        assert.deepEqual(headers.flat(), pairs.filter(([one]) => one !== name).flat());
        assert.equal(headers.has(name), false);
      }),
    );
  });

  it("keeps the original case of names for the wire, whatever changes other fields", () => {
    const spelled = fc.array(
      fc.tuple(fc.constantFrom("a", "A", "b", "B", "Cookie"), fc.string({ maxLength: 3 })),
      {
        maxLength: 8,
      },
    );
    const lower = (name: string): string => name.toLowerCase();
    fc.assert(
      fc.property(spelled, fc.constantFrom("a", "b", "cookie"), (pairs, name) => {
        const list = (): HeaderList => HeaderList.fromRaw(pairs.flat());
        const others = pairs.filter(([one]) => lower(one) !== name);
        assert.deepEqual(list().wire(), pairs.flat());
        assert.deepEqual(
          list().flat(),
          pairs.flatMap(([one, value]) => [lower(one), value]),
        );
        const removed = list();
        removed.remove(name);
        assert.deepEqual(removed.wire(), others.flat());
        const set = list();
        set.set(name, "new");
        const first = pairs.find(([one]) => lower(one) === name)?.[0] ?? name;
        assert.deepEqual(
          set.wire().filter((_, at) => at % 2 === 0 && lower(set.wire()[at] ?? "") === name),
          [first],
        );
        const appended = list();
        appended.append("x-new", "1");
        assert.deepEqual(appended.wire(), [...pairs.flat(), "x-new", "1"]);
      }),
    );
  });
});
