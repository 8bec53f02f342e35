// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";

import { type HeadKind, HeadReader } from "./head-reader.ts";

const HEAD = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

function bytes(text: string): Buffer {
  return Buffer.from(text, "latin1");
}

/** Reads the text, in chunks of a size; returns the head, the offset after it, or the fault's reason. */
function readBy(
  size: number,
  text: string,
  options: { readonly maxBytes?: number; readonly kind?: HeadKind } = {},
): readonly [head: string, end: number] | string | undefined {
  const reader = new HeadReader(options.maxBytes ?? 1_000, options.kind);
  for (let start = 0; start < text.length; start += size) {
    const end = reader.read(bytes(text.slice(start, start + size)), 0);
    if (end >= 0) return [reader.text, start + end];
    if (reader.fault !== undefined) return reader.fault.reason;
  }
  return undefined;
}

describe("HeadReader", () => {
  it("finds the head's end, however the bytes are split", () => {
    for (let size = 1; size <= 50; size++) {
      assert.deepEqual(readBy(size, `${HEAD}body\r\n\r\n`), [HEAD, HEAD.length], String(size));
      assert.deepEqual(readBy(size, `\r\n\r\n${HEAD}body`), [HEAD, HEAD.length + 4], String(size));
    }
  });

  it("begins at an offset, and again after a reset", () => {
    const reader = new HeadReader(1_000);
    const chunk = bytes(`xx${HEAD}${HEAD}GET`);
    assert.equal(reader.read(chunk, 2), 2 + HEAD.length);
    reader.reset();
    assert.equal(reader.started, false);
    assert.equal(reader.read(chunk, 2 + HEAD.length), 2 + 2 * HEAD.length);
    assert.equal(reader.text, HEAD);
    reader.reset();
    assert.equal(reader.read(chunk, 2 + 2 * HEAD.length), -1);
    assert.equal(reader.started, true);
    assert.equal(reader.fault, undefined);
  });

  it("ignores two empty lines before a request, and none before a response", () => {
    assert.equal(readBy(1, `\r\n\r\n\r\n${HEAD}`), "bad_request");
    assert.equal(readBy(100, `\r\n\r\n\r\n${HEAD}`), "bad_request");
    assert.equal(readBy(100, "\r\nHTTP/1.1 200 OK\r\n\r\n", { kind: "response" }), "bad_request");
    const reader = new HeadReader(100);
    assert.equal(reader.read(bytes("\r\n"), 0), -1);
    assert.deepEqual([reader.started, reader.fault], [false, undefined]);
  });

  it("allows a head of exactly its limit", () => {
    for (const size of [1, 7, 1_000]) {
      assert.deepEqual(readBy(size, HEAD, { maxBytes: HEAD.length }), [HEAD, HEAD.length]);
      assert.equal(readBy(size, HEAD, { maxBytes: HEAD.length - 1 }), "request_headers_too_large");
      assert.equal(
        readBy(size, `GET /${"x".repeat(10_000)}`, { maxBytes: 9_000 }),
        "request_headers_too_large",
      );
    }
    const large = `GET /${"x".repeat(9_000)} HTTP/1.1\r\n\r\n`;
    for (const size of [1_000, 20_000])
      assert.deepEqual(readBy(size, large, { maxBytes: 10_000 }), [large, large.length]);
  });

  it("refuses bytes that no head has as soon as they come", () => {
    for (const text of [
      "\x16\x03\x01",
      "GET\0",
      "GET /\n",
      "GET /\rx",
      "\n",
      "\rG",
      "\r\r",
      "\x7f",
      "G\x0b",
    ]) {
      for (const size of [1, 100]) assert.equal(readBy(size, text), "bad_request", JSON.stringify(text));
    }
    assert.equal(readBy(100, "SSH-2.0-x\r\n", { kind: "response" }), "bad_request");
    for (const size of [1, 3, 100]) {
      assert.equal(readBy(size, "HTTP/2", { kind: "response" }), "bad_request");
      assert.equal(readBy(size, "H\r", { kind: "response" }), "bad_request");
    }
    assert.equal(readBy(1, "HTTP/1.1 2", { kind: "response" }), undefined);
  });

  it("takes time linear in the length of a head that comes byte by byte", () => {
    const long = `GET /${"x".repeat(200_000)}`;
    const startMs = performance.now();
    assert.equal(readBy(1, long, { maxBytes: 1_000_000 }), undefined);
    assert.ok(performance.now() - startMs < 3_000);
  });
});
