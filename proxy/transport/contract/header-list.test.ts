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

  it("removeAlike does what removeWhere does, for all lists of a block", () => {
    const texts = fc.array(
      fc.tuple(fc.constantFrom("A", "b", "Content-Type", "c"), fc.constantFrom("1", "2")),
    );
    const matches = (name: string): boolean => name === "b" || name === "content-type";
    const change = fc.tuple(
      fc.constantFrom("set", "append", "remove", "alike"),
      fc.constantFrom("a", "b", "d"),
    );
    const lists = fc.array(fc.array(change, { maxLength: 5 }), { minLength: 1, maxLength: 4 });
    const countNames = (headers: HeaderList): number => headers.size;
    fc.assert(
      fc.property(texts, lists, (pairs, all) => {
        // Parsed fields of which lists share a block, as those of equal heads do.
        const raw = pairs.flat();
        const text = pairs.map(([name, value]) => `${name}: ${value}\r\n`).join("");
        const spans: number[] = [];
        for (const [name, value] of pairs) {
          const start = spans.at(-1) ?? 0;
          spans.push(start, start + name.length + value.length + 4);
        }
        const flat = pairs.flatMap(([name]) => [name.toLowerCase(), undefined]);
        const block = { text, flat, spans };
        for (const changes of all) {
          const [alike, other] = [HeaderList.of(block), HeaderList.fromRaw(raw)];
          alike.nameFlags(countNames);
          for (const [kind, name] of changes) {
            if (kind === "set") for (const list of [alike, other]) list.set(name, "3");
            else if (kind === "append") for (const list of [alike, other]) list.append(name, "3");
            else if (kind === "remove") for (const list of [alike, other]) list.remove(name);
            else {
              alike.removeAlike(matches);
              other.removeWhere(matches);
            }
            assert.equal(alike.nameFlags(countNames), other.size);
            assert.deepEqual(alike.flat(), other.flat());
            assert.equal(alike.wireText(), other.wireText());
            assert.equal(alike.byteLength(), other.byteLength());
          }
        }
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
          const isNew = appends && (name !== "content-type" || !plain.has(name));
          if (isNew) plain.appendPlain(name, value);
          else plain.setPlain(name, value);
          if (isNew) tested.append(name, value);
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
