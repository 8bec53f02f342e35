// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { headerBytesOf, headerTextOf } from "./header-text.ts";

const wellFormed = fc.string({ unit: "binary" });
const bytes = fc.uint8Array().map((octets) => Buffer.from(octets).toString("latin1"));

describe("header text", () => {
  it("is sent as UTF-8, with the same bytes as the platform's TextEncoder", () => {
    fc.assert(
      fc.property(wellFormed, (text) => {
        assert.equal(headerBytesOf(text), Buffer.from(text, "utf8").toString("latin1"));
      }),
    );
  });

  it("is read back unchanged", () => {
    fc.assert(fc.property(wellFormed, (text) => headerTextOf(headerBytesOf(text)) === text));
  });

  it("is read as UTF-8 where the bytes are UTF-8, and as Latin-1 where they are not", () => {
    const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    const expected = (binary: string): string => {
      try {
        return strict.decode(Buffer.from(binary, "latin1"));
      } catch {
        return binary;
      }
    };
    fc.assert(
      fc.property(fc.oneof(bytes, wellFormed.map(headerBytesOf)), (binary) => {
        assert.equal(headerTextOf(binary), expected(binary));
      }),
    );
  });

  for (const [text, binary] of [
    ["José", "Jos\xc3\xa9"],
    ["Łukasz", "\xc5\x81ukasz"],
    ["日本", "\xe6\x97\xa5\xe6\x9c\xac"],
    ["🦀", "\xf0\x9f\xa6\x80"],
    ["", ""],
  ] as const)
    it(`has the bytes of ${JSON.stringify(text)}`, () => {
      assert.equal(headerBytesOf(text), binary);
      assert.equal(headerTextOf(binary), text);
    });

  for (const binary of ["Jos\xe9", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe6\x97"])
    it(`keeps ${JSON.stringify(binary)}, which is no UTF-8, as Latin-1`, () => {
      assert.equal(headerTextOf(binary), binary);
    });

  it("leaves text with characters above U+00FF unchanged", () => {
    assert.equal(headerTextOf("日本"), "日本");
  });
});
