// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";

import { ByteWriter } from "./byte-writer.ts";
import { HpackDecoder } from "./hpack-decoder.ts";
import { HpackEncoder } from "./hpack-encoder.ts";

type Field = readonly [name: string, value: string, isNeverIndexed: boolean];

/** Both ends of a direction. */
class Pair {
  readonly encoder = new HpackEncoder();
  readonly decoder = new HpackDecoder();

  /** The block of the fields, in hexadecimal digits, which was decoded to the same fields. */
  send(...fields: readonly (readonly [name: string, value: string, isNeverIndexed?: boolean])[]): string {
    const target = new ByteWriter(Buffer.alloc(1));
    this.encoder.beginBlock(target);
    for (const [name, value, isNeverIndexed] of fields) this.encoder.encode(name, value, isNeverIndexed);
    const block = target.bytes.subarray(0, target.length);
    const received: Field[] = [];
    const sink = {
      isFull: false,
      onField: (...field: Field) => {
        received.push(field);
      },
    };
    assert.equal(this.decoder.decode(block, 0, block.length, sink), undefined);
    const expected = fields.map(([name, value, never]) => [name, value, never === true || SECRETS.has(name)]);
    assert.deepEqual(received, expected);
    return block.toString("hex");
  }
}

const SECRETS = new Set(["authorization", "cookie", "proxy-authorization", "set-cookie"]);

describe("HpackEncoder", () => {
  it("sends fields of the static table as one byte", () => {
    assert.equal(new Pair().send([":method", "GET"], [":scheme", "https"], [":status", "404"]), "82878d");
  });

  it("refers to static names, and codes a string by Huffman where that is shorter", () => {
    // RFC 7541, appendix C.4.1, without indexing.
    assert.equal(new Pair().send([":authority", "www.example.com"]), "018cf1e3c2e5f23a6ba0ab90f4ff");
    assert.equal(new Pair().send(["a", "!!"]), "0001610221 21".replaceAll(" ", ""));
  });

  it("indexes a value when it comes again, and sends one byte from then on", () => {
    const pair = new Pair();
    const field = ["x-tenant", "acme"] as const;
    const first = pair.send(field);
    assert.ok(first.startsWith("00"), first);
    const second = pair.send(field);
    assert.ok(second.startsWith("40"), second);
    assert.equal(pair.send(field), "be");
    assert.ok(pair.send(["x-tenant", "other"]).startsWith("0f2f"), "the name is known");
  });

  it("never indexes values that differ each time", () => {
    const pair = new Pair();
    pair.send(["server", "purser"]);
    pair.send(["server", "purser"]);
    for (let id = 0; id < 1_000; id++) pair.send(["x-request-id", `${id}`]);
    assert.equal(pair.send(["server", "purser"]), "be");
  });

  it("indexes values that alternate", () => {
    const pair = new Pair();
    const html = ["content-type", "text/html"] as const;
    const json = ["content-type", "application/json"] as const;
    for (let round = 0; round < 2; round++) for (const field of [html, json]) pair.send(field);
    assert.equal(pair.send(html, json), "bfbe");
  });

  it("indexes no value that takes most of the table", () => {
    const pair = new Pair();
    const large = ["x-large", "a".repeat(4_000)] as const;
    for (let round = 0; round < 3; round++) assert.ok(pair.send(large).startsWith("00"));
  });

  it("sends secrets, and fields that were received so, as never-indexed literals each time", () => {
    const pair = new Pair();
    for (const name of SECRETS) {
      const first = pair.send([name, "secret"]);
      assert.equal(first[0], "1");
      assert.equal(pair.send([name, "secret"]), first);
    }
    pair.send(["x-key", "k"]);
    pair.send(["x-key", "k"]);
    assert.equal(pair.send(["x-key", "k"]), "be");
    assert.equal(pair.send(["x-key", "k", true])[0], "1");
    assert.equal(pair.send(["x-key", "l", true], ["x-key", "l", true]).length, 4 * 4);
  });

  it("tells of the peer's smaller table with the next block, and of the smallest in between (RFC 7541, section 4.2)", () => {
    const pair = new Pair();
    pair.send(["a", "b"]);
    pair.send(["a", "b"]);
    pair.encoder.setMaxTableBytes(0);
    pair.encoder.setMaxTableBytes(1_000_000);
    assert.equal(pair.send([":method", "GET"]), "203fe11f82");
    assert.ok(pair.send(["a", "b"]).startsWith("40"), "the entry was evicted");
    pair.encoder.setMaxTableBytes(0);
    assert.equal(pair.send([":method", "GET"]), "2082");
    for (let round = 0; round < 3; round++) assert.ok(pair.send(["c", "d"]).startsWith("00"));
  });

  it("tells of no size when the peer's table is as large or larger", () => {
    const pair = new Pair();
    pair.encoder.setMaxTableBytes(4096);
    pair.encoder.setMaxTableBytes(65_536);
    assert.equal(pair.send([":method", "GET"]), "82");
  });

  it("knows a bounded number of names, and forgets those without an entry", () => {
    const pair = new Pair();
    for (let id = 0; id < 2_000; id++) pair.send([`x-${id}`, "v"], ["server", "purser"]);
    assert.equal(pair.send(["server", "purser"]).length, 2);
    for (let id = 0; id < 600; id++) for (let round = 0; round < 2; round++) pair.send([`y-${id}`, "v"]);
    assert.equal(pair.send(["y-599", "v"]).length, 2);
  });

  it("keeps no memory of the heads that values and names are slices of", function () {
    this.timeout(20_000);
    const encoder = new HpackEncoder();
    const target = new ByteWriter();
    const before = process.memoryUsage().heapUsed;
    for (let id = 0; id < 2_000; id++) {
      // A slice of a text of 50 KB, as HTTP/1.1's parser makes them.
      const text = Buffer.alloc(50_000, "x").toString("latin1") + id;
      const value = text.slice(49_960);
      const name = text.slice(49_900, 49_950) + (id % 300);
      for (let time = 0; time < 3; time++) {
        target.length = 0;
        encoder.beginBlock(target);
        encoder.encode(name, value);
      }
    }
    const kept = process.memoryUsage().heapUsed - before;
    assert.ok(kept < 16 * 1024 * 1024, `${kept} bytes`);
    target.length = 0;
    encoder.encode("x", "y");
  });

  it("throws for a character that is no byte", () => {
    const encoder = new HpackEncoder();
    encoder.beginBlock(new ByteWriter());
    assert.throws(() => encoder.encode("a", "\u010a"), RangeError);
    assert.throws(() => encoder.encode("\u010a", "a"), RangeError);
  });

  it("sends random fields unchanged, with evictions, sizes that change and repeated values", () => {
    const byte = fc.nat(255).map((code) => String.fromCharCode(code));
    const value = fc.oneof(
      fc.constantFrom("", "GET", "gzip, deflate", "a", "application/json", "x".repeat(300)),
      fc.string({ unit: byte, maxLength: 60 }),
      fc.string({ unit: byte, minLength: 1_000, maxLength: 1_100 }),
    );
    const name = fc.oneof(
      fc.constantFrom(":method", ":path", "cookie", "authorization", "date", "x-a", "x-b"),
      fc.string({ unit: byte, minLength: 1, maxLength: 20 }),
    );
    const message = fc.record({
      sizes: fc.array(fc.constantFrom(0, 31, 40, 100, 1_000, 4_095, 4_096, 100_000), { maxLength: 2 }),
      fields: fc.array(
        fc.tuple(
          name,
          value,
          fc.boolean().map((flag) => flag && flag),
        ),
        { maxLength: 10 },
      ),
      times: fc.integer({ min: 1, max: 4 }),
    });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 20 }), (messages) => {
        const pair = new Pair();
        for (const { sizes, fields, times } of messages) {
          for (const size of sizes) pair.encoder.setMaxTableBytes(size);
          for (let time = 0; time < times; time++) pair.send(...fields);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
