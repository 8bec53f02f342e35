// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { Base64Decoder } from "./base64-decoder.ts";

/** Cuts bytes at any places, also twice at the same one. */
export function cut(bytes: Uint8Array, places: readonly number[]): readonly Uint8Array[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

/** The decoded bytes; undefined for text that is malformed or ends within a group. */
function decoded(chunks: readonly Uint8Array[]): Buffer | undefined {
  const decoder = new Base64Decoder();
  const parts: Uint8Array[] = [];
  for (const chunk of chunks) {
    const part = decoder.decode(chunk);
    if (part === undefined) return undefined;
    parts.push(part);
  }
  return decoder.isComplete ? Buffer.concat(parts) : undefined;
}

/** The reference: groups by a regular expression, each decoded by Node and encoded again. */
function reference(text: string): Buffer | undefined {
  const groups = text.match(/.{1,4}/gs) ?? [];
  const parts = groups.map((group) => {
    if (!/^[A-Za-z0-9+/]{2}(?:==|[A-Za-z0-9+/]=|[A-Za-z0-9+/]{2})$/.test(group)) return undefined;
    const bytes = Buffer.from(group, "base64");
    return bytes.toString("base64") === group ? bytes : undefined;
  });
  return parts.includes(undefined) ? undefined : Buffer.concat(parts as Buffer[]);
}

const places = fc.array(fc.nat(400), { maxLength: 8 });

describe("base64 that comes in chunks", () => {
  it("is decoded alike however it is cut, with padding in the middle", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }), places, (parts, at) => {
        const text = parts.map((part) => Buffer.from(part).toString("base64")).join("");
        assert.deepEqual(decoded(cut(Buffer.from(text), at)), Buffer.concat(parts));
      }),
    );
  });

  it("is refused where the reference refuses it", () => {
    const units = fc.constantFrom(
      "A",
      "Q",
      "/",
      "+",
      "z",
      "=",
      "=",
      "==",
      "QUJD",
      "QQ==",
      "QUI=",
      "-",
      "\n",
      "é",
    );
    fc.assert(
      fc.property(fc.array(units, { maxLength: 10 }), places, (chars, at) => {
        const text = chars.join("");
        assert.deepEqual(decoded(cut(Buffer.from(text), at)), reference(text));
      }),
      { numRuns: 2_000 },
    );
  });
});
