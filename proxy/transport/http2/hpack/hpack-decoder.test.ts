// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";

import { ByteWriter } from "./byte-writer.ts";
import { HpackDecoder } from "./hpack-decoder.ts";
import { HpackEncoder } from "./hpack-encoder.ts";

type Field = readonly [name: string, value: string, isNeverIndexed?: true];

/** Keeps fields, up to a number of them. */
class Fields {
  readonly list: Field[] = [];
  readonly #most: number;

  constructor(most = Infinity) {
    this.#most = most;
  }

  get isFull(): boolean {
    return this.list.length >= this.#most;
  }

  onField(name: string, value: string, isNeverIndexed: boolean): void {
    this.list.push(isNeverIndexed ? [name, value, true] : [name, value]);
  }
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

function decoded(decoder: HpackDecoder, text: string): readonly Field[] {
  const fields = new Fields();
  const block = hex(text);
  assert.equal(decoder.decode(block, 0, block.length, fields), undefined);
  return fields.list;
}

const EXAMPLE: readonly Field[] = [
  [":method", "GET"],
  [":scheme", "http"],
  [":path", "/"],
  [":authority", "www.example.com"],
];
const SECURE: readonly Field[] = [
  [":method", "GET"],
  [":scheme", "https"],
  [":path", "/index.html"],
  [":authority", "www.example.com"],
  ["custom-key", "custom-value"],
];
const response = (status: string, second: number): readonly Field[] => [
  [":status", status],
  ["cache-control", "private"],
  ["date", `Mon, 21 Oct 2013 20:13:${second} GMT`],
  ["location", "https://www.example.com"],
];
const WITH_COOKIE: readonly Field[] = [
  [":status", "200"],
  ["cache-control", "private"],
  ["date", "Mon, 21 Oct 2013 20:13:22 GMT"],
  ["location", "https://www.example.com"],
  ["content-encoding", "gzip"],
  ["set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"],
];

/** RFC 7541, appendix C: blocks of one connection each, with the table's size. */
const VECTORS: readonly {
  readonly title: string;
  readonly tableBytes?: number;
  readonly blocks: readonly (readonly [bytes: string, fields: readonly Field[]])[];
}[] = [
  {
    title: "C.2.1: a literal with indexing",
    blocks: [
      ["400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572", [["custom-key", "custom-header"]]],
      ["be", [["custom-key", "custom-header"]]],
    ],
  },
  {
    title: "C.2.2: without indexing",
    blocks: [["040c 2f73 616d 706c 652f 7061 7468", [[":path", "/sample/path"]]]],
  },
  {
    title: "C.2.3: never indexed",
    blocks: [["1008 7061 7373 776f 7264 0673 6563 7265 74", [["password", "secret", true]]]],
  },
  { title: "C.2.4: an indexed field", blocks: [["82", [[":method", "GET"]]]] },
  {
    title: "C.3: requests without Huffman coding",
    blocks: [
      ["8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d", EXAMPLE],
      ["8286 84be 5808 6e6f 2d63 6163 6865", [...EXAMPLE, ["cache-control", "no-cache"]]],
      ["8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65", SECURE],
    ],
  },
  {
    title: "C.4: requests with Huffman coding",
    blocks: [
      ["8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff", EXAMPLE],
      ["8286 84be 5886 a8eb 1064 9cbf", [...EXAMPLE, ["cache-control", "no-cache"]]],
      ["8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf", SECURE],
    ],
  },
  {
    title: "C.5: responses with evictions",
    tableBytes: 256,
    blocks: [
      [
        "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120" +
          "474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        response("302", 21),
      ],
      ["4803 3330 37c1 c0bf", response("307", 21)],
      [
        "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970" +
          "7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765" +
          "3d33 3630 303b 2076 6572 7369 6f6e 3d31",
        WITH_COOKIE,
      ],
    ],
  },
  {
    title: "C.6: responses with evictions and Huffman coding",
    tableBytes: 256,
    blocks: [
      [
        "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718" +
          "63c7 8f0b 97c8 e9ae 82ae 43d3",
        response("302", 21),
      ],
      ["4883 640e ffc1 c0bf", response("307", 21)],
      [
        "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7" +
          "b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
        WITH_COOKIE,
      ],
    ],
  },
];

const FAULTS: readonly (readonly [title: string, bytes: string, fault: string])[] = [
  ["index 0", "80", "The index 0 has no field."],
  ["an index beyond an empty table", "be", "An index is beyond the table."],
  ["a huge index", "ff 80 ff ff ff 07", "An index is beyond the table."],
  ["a name's index beyond the table", "7e 01 61", "An index is beyond the table."],
  ["an integer of 6 further bytes", "ff 80 80 80 80 80 00", "An integer is too large."],
  ["an integer of 2^31", "ff 81 ff ff ff 07", "An integer is too large."],
  ["an integer that is cut off", "ff 80", "An integer is cut off."],
  ["a size that is cut off", "3f", "An integer is cut off."],
  ["a name that is cut off", "40 05 61", "A string is cut off."],
  ["no value", "40 01 61", "A string is cut off."],
  ["a value that is cut off", "40 01 61 03 61 61", "A string is cut off."],
  ["a value whose length is cut off", "40 01 61 7f", "An integer is cut off."],
  ["a value of 2 GiB", "40 01 61 7f 80 ff ff ff 07", "A string is cut off."],
  ["a size update after a field", "82 20", "A table size update is not at the block's begin."],
  ["a size update above the setting", "3f e2 1f", "A table size update exceeds SETTINGS_HEADER_TABLE_SIZE."],
  ["EOS", "00 01 61 84 ff ff ff ff", "A string's Huffman code is malformed."],
  ["EOS after a symbol", "00 01 61 85 1f ff ff ff ff", "A string's Huffman code is malformed."],
  ["a padding of 8 bits", "00 01 61 82 1f ff", "A string's Huffman code is malformed."],
  ["a padding of zeros", "00 01 61 81 18", "A string's Huffman code is malformed."],
  ["a padding alone", "00 01 61 81 ff", "A string's Huffman code is malformed."],
  ["a long code that is cut off", "00 01 61 83 ff ff fe", "A string's Huffman code is malformed."],
  ["a name with a malformed code", "00 81 18 01 61", "A string's Huffman code is malformed."],
];

describe("HpackDecoder", () => {
  for (const { title, tableBytes, blocks } of VECTORS) {
    it(`decodes ${title} (RFC 7541, appendix C)`, () => {
      const decoder = new HpackDecoder({ maxTableBytes: tableBytes ?? 4096 });
      for (const [bytes, fields] of blocks) assert.deepEqual(decoded(decoder, bytes), fields);
    });
  }

  it("decodes integers of each size, also with superfluous zeros (appendix C.1)", () => {
    const value = "a".repeat(1337 - 96);
    const decoder = new HpackDecoder();
    assert.deepEqual(decoded(decoder, `0001 617f da08 ${Buffer.from(value).toString("hex")}`), [
      ["a", value],
    ]);
    assert.deepEqual(decoded(decoder, "0001 617f 8080 8000" + "61".repeat(127)), [["a", "a".repeat(127)]]);
  });

  for (const [title, bytes, fault] of FAULTS) {
    it(`refuses ${title}`, () => {
      const block = hex(bytes);
      assert.equal(new HpackDecoder().decode(block, 0, block.length, new Fields()), fault);
    });
  }

  it("reads nothing behind the block's end", () => {
    const bytes = hex("82 40 01 61 03 61 61 61 61");
    assert.equal(new HpackDecoder().decode(bytes, 0, 7, new Fields()), "A string is cut off.");
    assert.equal(new HpackDecoder().decode(bytes, 1, 8, new Fields()), undefined);
  });

  it("decodes all 256 bytes in Huffman code, and each alone", () => {
    const bytes = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte));
    for (const text of [bytes.join(""), ...bytes]) {
      const value = text + "e".repeat(300);
      assert.deepEqual(roundTrip([["x", value]]), [["x", value]]);
    }
  });

  it("gives the same string objects for literals that repeat, of Huffman code and plain", () => {
    const decoder = new HpackDecoder();
    for (const text of ["0003 666f 6f03 626172", "0082 94e7 838c 767f"]) {
      assert.deepEqual(decoded(decoder, text), [["foo", "bar"]]);
      assert.deepEqual(decoded(decoder, text), [["foo", "bar"]]);
    }
    // Equal length, ends and middle: only the whole comparison tells them apart.
    for (const value of ["abcdefghij", "abXdefghij", "abcdefgXij"])
      assert.deepEqual(decoded(decoder, `000161 0a${Buffer.from(value).toString("hex")}`), [["a", value]]);
  });

  it("lets a full sink have no more, and keeps the table in step", () => {
    const decoder = new HpackDecoder();
    const few = new Fields(2);
    const block = hex("82 82 82 40 01 61 01 62");
    assert.equal(decoder.decode(block, 0, block.length, few), undefined);
    assert.equal(few.list.length, 2);
    assert.deepEqual(decoded(decoder, "be"), [["a", "b"]]);
  });

  it("reports faults behind the field that filled the sink", () => {
    const block = hex("82 82 ff 80");
    assert.equal(new HpackDecoder().decode(block, 0, block.length, new Fields(1)), "An integer is cut off.");
  });

  it("makes no copies of a large field that a block refers to 16,000 times", () => {
    const decoder = new HpackDecoder();
    const value = "v".repeat(4000);
    decoded(decoder, `4001 617f a11e ${Buffer.from(value).toString("hex")}`);
    const bomb = Buffer.alloc(16_000, 0xbe);
    let same: string | undefined;
    let fields = 0;
    const before = process.memoryUsage().heapUsed;
    const sink = {
      isFull: false,
      onField: (_name: string, text: string) => {
        fields++;
        same = text;
      },
    };
    assert.equal(decoder.decode(bomb, 0, bomb.length, sink), undefined);
    assert.equal(fields, 16_000);
    assert.equal(same, value);
    assert.ok(process.memoryUsage().heapUsed - before < 8 * 1024 * 1024, "64 MB were copied");
  });

  it("takes size updates at a block's begin, and evicts by them", () => {
    const decoder = new HpackDecoder();
    decoded(decoder, "4001 61 01 62");
    assert.deepEqual(decoded(decoder, "20 3f e1 1f 82"), [[":method", "GET"]]);
    const block = hex("be");
    assert.equal(decoder.decode(block, 0, 1, new Fields()), "An index is beyond the table.");
  });

  it("empties the table for an entry that is larger than it (section 4.4)", () => {
    const decoder = new HpackDecoder({ maxTableBytes: 64 });
    decoded(decoder, "4001 61 01 62");
    assert.deepEqual(decoded(decoder, `7e 21 ${"63".repeat(33)}`), [["a", "c".repeat(33)]]);
    const block = hex("be");
    assert.equal(decoder.decode(block, 0, 1, new Fields()), "An index is beyond the table.");
  });

  it("survives random and mutated blocks without an error, with at most one field for each byte", () => {
    const field = fc.tuple(
      fc.constantFrom("a", "cookie", ":path", "x-long-name", "date"),
      fc.string({ unit: fc.nat(255).map((code) => String.fromCharCode(code)), maxLength: 40 }),
    );
    const edits = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.array(field, { maxLength: 12 }), edits, fc.nat()), { maxLength: 8 }),
        (messages) => {
          const decoder = new HpackDecoder();
          const encoder = new HpackEncoder();
          for (const [fields, changes, cut] of messages) {
            const block = encoded(encoder, fields);
            if (block.length === 0) continue;
            for (const [at, byte] of changes) block[at % block.length] = byte;
            const end = changes.length > 0 ? cut % (block.length + 1) : block.length;
            const sink = new Fields();
            const fault = decoder.decode(block, 0, end, sink);
            assert.ok(sink.list.length <= end);
            if (fault !== undefined) return;
          }
        },
      ),
      { numRuns: 3_000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const sink = new Fields();
        new HpackDecoder().decode(Buffer.from(bytes), 0, bytes.length, sink);
        assert.ok(sink.list.length <= bytes.length);
      }),
      { numRuns: 3_000 },
    );
  });
});

function encoded(encoder: HpackEncoder, fields: readonly (readonly [string, string])[]): Buffer {
  const target = new ByteWriter();
  encoder.beginBlock(target);
  for (const [name, value] of fields) encoder.encode(name, value);
  return Buffer.from(target.bytes.subarray(0, target.length));
}

function roundTrip(fields: readonly (readonly [string, string])[]): readonly Field[] {
  const block = encoded(new HpackEncoder(), fields);
  const sink = new Fields();
  assert.equal(new HpackDecoder().decode(block, 0, block.length, sink), undefined);
  return sink.list;
}
