// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { BASE64URL_FUNCTIONS } from "./base64url.ts";

const [encode, decode] = BASE64URL_FUNCTIONS.map(({ implementation }) => implementation) as unknown as [
  (text: string) => string,
  (text: string) => string | undefined,
];

describe("base64url", () => {
  it("agrees with Buffer, and decodes to its input with and without padding", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const encoded = encode(text);
        assert.equal(encoded, Buffer.from(text).toString("base64url"));
        assert.equal(decode(encoded), text);
        assert.equal(decode(encoded.padEnd(Math.ceil(encoded.length / 4) * 4, "=")), text);
      }),
    );
  });

  it("agrees with the test vectors of RFC 4648", () => {
    const vectors = {
      "": "",
      f: "Zg",
      fo: "Zm8",
      foo: "Zm9v",
      foob: "Zm9vYg",
      fooba: "Zm9vYmE",
      foobar: "Zm9vYmFy",
    };
    for (const [text, encoded] of Object.entries(vectors)) assert.equal(encode(text), encoded);
  });

  it("gives no value for malformed text", () => {
    // Other alphabets, spaces, single letters, wrong padding, unused bits that are not 0, and bytes that are
    // not UTF-8.
    for (const text of [
      "a+/b",
      "Zm 9v",
      "Zm9v\n",
      "Z",
      "Zm9vY",
      "Zg=",
      "Zg===",
      "Zm8==",
      "=",
      "====",
      "Zh",
      "Zm9",
      "_w",
      "é",
    ])
      assert.equal(decode(text), undefined, text);
    assert.equal(decode("Zg=="), "f");
    assert.equal(decode("Zm8="), "fo");
  });

  it("decodes only canonical encodings", () => {
    const letters = fc.string({ unit: fc.constantFrom(..."AZaz09-_=Qg".split("")), maxLength: 8 });
    fc.assert(
      fc.property(letters, (text) => {
        const decoded = decode(text);
        if (decoded !== undefined) assert.equal(encode(decoded), text.replace(/=+$/, ""));
      }),
      { numRuns: 1000 },
    );
  });
});
