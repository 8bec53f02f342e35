// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readYaml } from "./read-yaml.ts";

const read = (text: string) => readYaml({ path: "f.yaml", text });
const faults = (text: string) =>
  read(text).diagnostics.map(({ location, message }) => `${location.line}:${location.column} ${message}`);

describe("reading YAML", () => {
  it("skips empty documents", () => {
    for (const text of ["", "\n", "# nothing\n", "---\n---\n# still nothing\n...\n"]) {
      assert.deepEqual(read(text), { documents: [], diagnostics: [] });
    }
  });

  it("reads YAML 1.2: yes is text, and keys are as written", () => {
    const { documents } = read("a: yes\n<<: 0o7\n200: 1.5\n");
    assert.deepEqual(documents[0]?.value, { "200": 1.5, a: "yes", "<<": 7 });
  });

  it("finds locations with a byte order mark and with Windows' line ends", () => {
    const { documents } = read("\uFEFFa: 1\r\nb:\r\n  - c: 2\r\n");
    const places = documents[0]?.places;
    assert.deepEqual(places?.key(["a"]), { file: "f.yaml", line: 1, column: 1 });
    assert.deepEqual(places?.value(["b", 0, "c"]), { file: "f.yaml", line: 3, column: 8 });
  });

  it("uses the nearest written ancestor of an absent part", () => {
    const places = read("a:\n  b: 1\nempty:\n").documents[0]?.places;
    assert.deepEqual(places?.value(["a", "x", "y"]), { file: "f.yaml", line: 2, column: 3 });
    assert.deepEqual(places?.value(["empty"]), { file: "f.yaml", line: 3, column: 1 });
  });

  it("treats `__proto__` as a plain key", () => {
    const { documents } = read("__proto__: { polluted: true }\n");
    assert.ok(Object.hasOwn(documents[0]?.value as object, "__proto__"));
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  });

  it("reads a key without a value as null", () => {
    for (const text of ["a: {b, c: 1}\n", "a:\n  ? b\n  ? c\n  : 1\n"])
      assert.deepEqual(read(text).documents[0]?.value, { a: { b: null, c: 1 } });
  });

  it("refuses an alias within its own anchor, and reads any other", () => {
    const circles = ["&a {b: *a}\n", "a: &a\n  - b: [*a]\n", "&a [*a]\n", "a: &a {b: &a {c: *a}}\n"];
    for (const text of circles)
      assert.match(faults(text).join(), /^\d+:\d+ The alias \*a is within its own anchor$/);
    const { documents } = read("a: &a {b: &b 1}\nc: [*a, *b]\nd: &a {e: &a 2, f: *a}\n");
    assert.deepEqual(documents[0]?.value, { a: { b: 1 }, c: [{ b: 1 }, 1], d: { e: 2, f: 2 } });
  });

  it("refuses values that JSON does not have, and reads tags of values that it has", () => {
    const values = [
      "!!set {b}",
      "!!omap [b: 1]",
      "!!pairs [b: 1]",
      "!!binary YQ==",
      "!!timestamp 2020-01-01",
    ];
    const texts = [...values.map((value) => `a: ${value}\n`), "%YAML 1.1\n---\na: 2020-01-01\n"];
    for (const text of texts) assert.match(faults(text).join(), /^\d+:\d+ A document has no dates/, text);
    const { documents } = read("a: !!map {b: !!seq [!!str 1, !!int 2]}\nc: ! {d: ! 1}\n");
    assert.deepEqual(documents[0]?.value, { a: { b: ["1", 2] }, c: { d: "1" } });
  });

  it("refuses what is nested too deeply, however it is nested, and does not fall over it", () => {
    const deep = ["[".repeat(100_000), "- ".repeat(100_000), "{a: ".repeat(100_000), "? ".repeat(100_000)];
    deep.push(Array.from({ length: 2_000 }, (_, level) => `${" ".repeat(level)}a:\n`).join(""));
    for (const text of deep) {
      // Twice: what is left of a stack that was nearly used up shows only later.
      for (let time = 0; time < 2; time++) {
        assert.match(
          faults(text).join(),
          /^\d+:\d+ Collections are nested more than 100 deep$/,
          text.slice(0, 8),
        );
      }
    }
    assert.equal(faults("{a: ".repeat(99) + "}".repeat(99)).length, 0);
    assert.equal(
      faults(Array.from({ length: 99 }, (_, level) => `${" ".repeat(level)}a:\n`).join("")).length,
      0,
    );
  });

  it("reports one broken file with a bounded number of faults", () => {
    assert.ok(faults("a: [\n".repeat(90)).length <= 20);
  });

  it("takes time in proportion to the size of a map", () => {
    const keys = Array.from({ length: 20_000 }, (_, index) => `k${index}: 1\n`).join("");
    const startMs = performance.now();
    assert.deepEqual(faults(`${keys}k7: 2\n`), ['20001:1 The key "k7" is in the map twice']);
    // The parser's own look for duplicates takes minutes here.
    assert.ok(performance.now() - startMs < 5_000);
  });
});
