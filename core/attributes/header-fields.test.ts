// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { validateHeaderName, validateHeaderValue } from "node:http";
import fc from "fast-check";
import { headerBytesOf } from "../../kernel/canonical/header-text.ts";
import { headerNameFault, headerValueFault, isReservedHeader } from "./header-fields.ts";

/** The text with random capitalization. */
const spelled = (text: string) =>
  fc
    .array(fc.boolean(), { minLength: text.length, maxLength: text.length })
    .map((upper) => Array.from(text, (c, at) => (upper[at] === true ? c.toUpperCase() : c)).join(""));

describe("header fields that documents write", () => {
  it("have exactly the names that Node sends", () => {
    const accepts = (name: string): boolean => {
      try {
        validateHeaderName(name);
        return true;
      } catch {
        return false;
      }
    };
    fc.assert(
      fc.property(fc.string({ unit: fc.oneof(fc.constantFrom("a", "-", "_"), fc.string()) }), (name) => {
        assert.equal(headerNameFault(name) === undefined, accepts(name) && !isReservedHeader(name));
      }),
    );
  });

  const RESERVED =
    "connection content-length expect host http2-settings keep-alive proxy-connection te trailer transfer-encoding " +
    "upgrade :path :authority :status";
  for (const name of RESERVED.split(" "))
    it(`never include ${name}, in any case`, () => {
      fc.assert(fc.property(spelled(name), (spelling) => headerNameFault(spelling) !== undefined));
    });

  it("may include fields about the content and the client", () => {
    for (const name of ["content-type", "location", "x-user", "authorization", "proxy-authorization", "date"])
      assert.equal(headerNameFault(name), undefined, name);
  });

  it("have exactly the values whose bytes Node sends", () => {
    const accepts = (value: string): boolean => {
      try {
        validateHeaderValue("x-a", headerBytesOf(value));
        return Buffer.from(value).toString() === value;
      } catch {
        return false;
      }
    };
    const unit = fc.oneof(
      fc.integer({ min: 0, max: 0x2ff }).map((code) => String.fromCharCode(code)),
      fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)),
      fc.integer({ min: 0x10000, max: 0x10ffff }).map((code) => String.fromCodePoint(code)),
    );
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 4 }), (value) => {
        assert.equal(headerValueFault("x-a", value) === undefined, accepts(value));
      }),
      { numRuns: 2_000 },
    );
  });
});
