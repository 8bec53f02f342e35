// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { textHash } from "./text-hash.ts";

describe("textHash", () => {
  it("is a safe integer, different for texts that differ in one place", () => {
    const texts = Array.from({ length: 20_000 }, (_, index) => `quota{"user":"u${index}"}`);
    texts.push("", "\u0000", "a", "A", "aa", "é", "e\u0301");
    const hashes = texts.map((text) => textHash(text));
    assert.ok(hashes.every((hash) => Number.isSafeInteger(hash) && hash >= 0));
    assert.equal(new Set(hashes).size, texts.length);
  });

  it("spreads evenly over a few places", () => {
    const places = Array.from({ length: 16 }, () => 0);
    for (let index = 0; index < 16_000; index++) {
      const place = textHash(`q{"ip":"10.0.${index >> 8}.${index & 255}"}`) % places.length;
      places[place] = (places[place] as number) + 1;
    }
    assert.ok(Math.min(...places) > 850 && Math.max(...places) < 1_150, places.join(" "));
  });

  it("depends on what came before", () => {
    assert.notEqual(textHash("b", textHash("a")), textHash("a", textHash("b")));
    assert.notEqual(textHash("b", textHash("a")), textHash("b"));
  });
});
