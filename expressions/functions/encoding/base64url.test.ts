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
  it("is what Buffer makes, and comes back, padded or not", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const encoded = encode(text);
        assert.equal(encoded, Buffer.from(text).toString("base64url"));
        assert.equal(decode(encoded), text);
        assert.equal(decode(encoded.padEnd(Math.ceil(encoded.length / 4) * 4, "=")), text);
      }),
    );
  });

  it("has the vectors of RFC 4648", () => {
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

  it("has no value when it is malformed", () => {
    // Other alphabets, spaces, lone letters, wrong padding, bits left over, and bytes that are no UTF-8.
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

  it("decodes to nothing that would be encoded otherwise", () => {
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
