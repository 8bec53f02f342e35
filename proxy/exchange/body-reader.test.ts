// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { HeaderList } from "../transport/contract/header-list.ts";
import { bodyReaderFor } from "./body-reader.ts";

const readerFor = (...fields: string[]) => bodyReaderFor({ headers: new HeaderList(fields) });

/** The value of a body that comes in the given pieces. */
function valueOf(contentType: string, pieces: readonly (string | Uint8Array)[]): unknown {
  const reader = readerFor("content-type", contentType);
  for (const piece of pieces) reader?.add(typeof piece === "string" ? Buffer.from(piece) : piece);
  return reader?.value;
}

/** The bytes in pieces of random sizes. */
const piecesOf = (text: string) =>
  fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 400 }).map((sizes) => {
    const bytes = Buffer.from(text);
    const pieces: Uint8Array[] = [];
    let at = 0;
    for (const size of sizes) pieces.push(bytes.subarray(at, (at += size)));
    return [...pieces, bytes.subarray(at)];
  });

const STREAM = "text/event-stream; charset=utf-8";

describe("the reader of response bodies", () => {
  it("is for JSON and event streams that are not compressed", () => {
    assert.equal(readerFor("content-type", "text/html"), undefined);
    assert.equal(readerFor(), undefined);
    assert.equal(readerFor("content-type", "application/json", "content-encoding", "gzip"), undefined);
    assert.ok(readerFor("content-type", "Application/Problem+JSON; a=b", "content-encoding", "identity"));
  });

  it("reads JSON in any pieces, and nothing else", () => {
    const text = '{"usage":{"total_tokens":12},"text":"größe 🎈"}';
    fc.assert(
      fc.property(piecesOf(text), (pieces) => {
        assert.deepEqual(valueOf("application/json", pieces), JSON.parse(text));
      }),
    );
    for (const other of ['{"usage":', "", "12", '"text"', "null"])
      assert.equal(valueOf("application/json", [other]), undefined);
  });

  it("copies pieces, which a transport may write over", () => {
    const reader = readerFor("content-type", "application/json");
    const piece = Buffer.from('{"a":1}');
    reader?.add(piece);
    piece.fill(32);
    assert.deepEqual(reader?.value, { a: 1 });
  });

  it("keeps the last event with usage, whatever comes after it, in any pieces and line ends", () => {
    const events = [
      ': comment\nevent: start\ndata: {"id":1,"usage":null}\n\n',
      'data:{"id":2,\ndata:"text":"ü 🎈"}\n\n',
      'id: 7\ndata: {"id":3,"usage":{"total_tokens":40}}\n\n',
      'data: {"type":"stop"}\n\ndata: [DONE]\n\n',
    ].join("");
    fc.assert(
      fc.property(
        fc.constantFrom("\n", "\r\n", "\r").chain((end) => piecesOf(`${events.replaceAll("\n", end)}${end}`)),
        (pieces) => {
          assert.deepEqual(valueOf(STREAM, pieces), { id: 3, usage: { total_tokens: 40 } });
        },
      ),
    );
  });

  it("takes the last object of a stream without usage, and none of an event that was cut off", () => {
    assert.deepEqual(valueOf(STREAM, ['data: {"id":1}\n\ndata: {"id":2}\n\ndata: {"id":3}\n']), { id: 2 });
    assert.equal(valueOf(STREAM, ["data: text\n\n"]), undefined);
  });

  it("keeps at most a megabyte: larger bodies and events have no value, and the rest is read", () => {
    const large = "x".repeat(1_100_000);
    assert.equal(valueOf("application/json", [`{"a":"${large}`, '"}']), undefined);
    const usage = 'data: {"usage":{"total_tokens":1}}\n\n';
    const seen = { usage: { total_tokens: 1 } };
    assert.deepEqual(valueOf(STREAM, [`data: {"usage":{"a":"${large}`, '"}}\n\n', usage]), seen);
    const half = `data: "${large.slice(0, 600_000)}\n`;
    assert.deepEqual(valueOf(STREAM, [`data: {\n${half}${half}\n`, usage]), seen);
  });
});
