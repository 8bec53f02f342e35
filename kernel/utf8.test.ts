// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeUtf8, encodeUtf8 } from "./utf8.ts";

/** Halves of surrogate pairs included. */
const anyText = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 0xd7f0, max: 0xe010 })))
  .map((units) => String.fromCharCode(...units));

describe("UTF-8", () => {
  it("is encoded as TextEncoder does, whatever the text", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        assert.deepEqual([...encodeUtf8(text)], [...new TextEncoder().encode(text)]);
      }),
    );
    assert.deepEqual([...encodeUtf8("aé€😀")], [...Buffer.from("aé€😀")]);
  });

  it("is decoded, or refused, as a strict TextDecoder does, whatever the bytes", () => {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    const expected = (bytes: Uint8Array): string | undefined => {
      try {
        return decoder.decode(bytes);
      } catch {
        return undefined;
      }
    };
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 6 }),
      // Near what is valid: leading bytes and continuations.
      fc
        .array(
          fc.oneof(
            fc.integer({ min: 0xbe, max: 0xf8 }),
            fc.constantFrom(0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf),
          ),
          {
            maxLength: 6,
          },
        )
        .map((numbers) => Uint8Array.from(numbers)),
      fc.string({ unit: "binary" }).map((text) => new TextEncoder().encode(text)),
    );
    fc.assert(
      fc.property(bytes, (value) => assert.equal(decodeUtf8(value), expected(value))),
      { numRuns: 2000 },
    );
  });
});
