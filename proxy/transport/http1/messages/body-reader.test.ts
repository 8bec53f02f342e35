// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";

import { HeaderList } from "../../contract/header-list.ts";
import { BodyReader } from "./body-reader.ts";
import { CHUNK_END, chunkSizeLine, lastChunkText } from "./chunked-text.ts";
import { CHUNKED, type Framing, framingOfLength, NO_BODY, UNTIL_CLOSE } from "./framing.ts";

interface Received {
  body: string;
  calls: number;
  trailers: readonly string[] | undefined;
  ended: number;
  /** Offset in the whole text after the body; undefined while it is not done. */
  end: number | undefined;
  fault: string | undefined;
}

/** Reads a body from chunks. */
function read(framing: Framing, chunks: readonly string[], reader = new BodyReader()): Received {
  const received: Received = {
    body: "",
    calls: 0,
    trailers: undefined,
    ended: 0,
    end: undefined,
    fault: undefined,
  };
  reader.begin(framing, {
    onData(chunk) {
      assert.ok(chunk.length > 0);
      received.body += Buffer.from(chunk).toString("latin1");
      received.calls++;
    },
    onEnd(trailers) {
      received.trailers = trailers?.wire();
      received.ended++;
    },
  });
  let offset = 0;
  for (const chunk of chunks) {
    const end = reader.read(Buffer.from(chunk, "latin1"), 0);
    if (end < 0) {
      received.fault = reader.fault?.reason;
      return received;
    }
    if (reader.done) {
      received.end = offset + end;
      return received;
    }
    assert.equal(end, chunk.length);
    offset += chunk.length;
  }
  return received;
}

function split(text: string, cuts: readonly number[]): string[] {
  const ends = [...cuts.map((cut) => cut % (text.length + 1)), text.length].toSorted((a, b) => a - b);
  return ends.map((end, index) => text.slice(ends[index - 1] ?? 0, end)).filter((part) => part !== "");
}

/** Bytes after the size, which must be data of three bytes where the size is 3. */
const REFUSED: readonly (readonly [name: string, text: string])[] = [
  ["no size", "\r\nabc\r\n"],
  ["a size with a sign", "+3\r\nabc\r\n"],
  ["a negative size", "-3\r\nabc\r\n"],
  ["a size with a prefix", "0x3\r\nabc\r\n"],
  ["a size that is no number", "g\r\nabc\r\n"],
  ["a space before the size", " 3\r\nabc\r\n"],
  ["a space after the size", "3 \r\nabc\r\n"],
  ["a tab after the size", "3\t\r\nabc\r\n"],
  ["a size of more than 16 digits", "00000000000000003\r\nabc\r\n"],
  ["a size above 2^53", "20000000000000\r\nabc\r\n"],
  ["a size above 2^64", "ffffffffffffffff\r\nabc\r\n"],
  ["a bare LF after the size", "3\nabc\r\n"],
  ["a bare CR after the size", "3\rabc\r\n"],
  ["CR CR LF after the size", "3\r\r\nabc\r\n"],
  ["data longer than the size", "3\r\nabcd\r\n"],
  ["data shorter than the size", "3\r\nab\r\n3\r\n"],
  ["a bare LF after the data", "3\r\nabc\n"],
  ["a bare CR after the data", "3\r\nabc\r3\r\n"],
  ["nothing after the data", "3\r\nabc3\r\nabc\r\n"],
  ["an empty extension", "3;\r\nabc\r\n"],
  ["a bare LF in an extension", "3;a\nb\r\nabc\r\n"],
  ["a bare CR in an extension", "3;a\rb\r\nabc\r\n"],
  ["NUL in an extension", "3;a\0\r\nabc\r\n"],
  ["a byte above 0x7f in an extension", "3;a\x80\r\nabc\r\n"],
  ["an extension without a name", "3;=b\r\nabc\r\n"],
  ["an extension without a value", "3;a=\r\nabc\r\n"],
  ["an open quote in an extension", '3;a="b\r\nabc\r\n'],
  ["whitespace in an extension", "3; a=b\r\nabc\r\n"],
  ["extensions of more than 256 bytes", `3;a=${"b".repeat(256)}\r\nabc\r\n`],
  ["an extension that does not end", `3;a=${"b".repeat(300)}`],
  ["a last chunk with a sign", "-0\r\n\r\n"],
  ["a bare LF after the last chunk", "0\n\r\n"],
  ["a bare LF after the trailers", "0\r\n\n"],
  ["a bare CR after the trailers", "0\r\n\rX"],
  ["a trailer with a space before the colon", "0\r\nx : y\r\n\r\n"],
  ["a folded trailer", "0\r\nx: y\r\n z\r\n\r\n"],
  ["a trailer with NUL", "0\r\nx: \0\r\n\r\n"],
  ["a trailer without a colon", "0\r\nx\r\n\r\n"],
  ["a bare LF in a trailer", "0\r\nx: y\nz: a\r\n\r\n"],
  ["content-length as a trailer", "0\r\nContent-Length: 1\r\n\r\n"],
  ["transfer-encoding as a trailer", "0\r\nTransfer-Encoding: chunked\r\n\r\n"],
  ["connection as a trailer", "0\r\nConnection: close\r\n\r\n"],
];

describe("BodyReader", () => {
  for (const [name, text] of REFUSED) {
    it(`refuses chunks with ${name}, however they are split`, () => {
      for (const chunks of [[text], text.split("")]) assert.equal(read(CHUNKED, chunks).fault, "bad_request");
    });
  }

  it("limits the size and the number of trailers", () => {
    const many = `0\r\n${"x: y\r\n".repeat(101)}\r\n`;
    assert.equal(read(CHUNKED, [many]).fault, "request_headers_too_large");
    assert.equal(read(CHUNKED, [`0\r\nx: ${"y".repeat(61 * 1024)}`]).fault, "request_headers_too_large");
  });

  it("gives the same body, trailers and end however the bytes are split", () => {
    const token = fc.stringMatching(/^[a-zA-Z-]{1,8}$/).filter((name) => !/^connection$/i.test(name));
    const chunk = fc.record({
      data: fc.string({ unit: "binary-ascii", minLength: 1, maxLength: 40 }),
      isUpper: fc.boolean(),
      zeros: fc.nat(3),
      extension: fc.constantFrom("", ";a", ";a=b", ';a="b;\\"\t c"', ";a;b=c"),
    });
    fc.assert(
      fc.property(
        fc.array(chunk, { maxLength: 12 }),
        fc.array(fc.tuple(token, fc.stringMatching(/^[ -~]{0,8}$/)), { maxLength: 3 }),
        fc.array(fc.nat(), { maxLength: 8 }),
        (chunks, trailers, cuts) => {
          let text = "";
          for (const { data, isUpper, zeros, extension } of chunks) {
            const size = data.length.toString(16);
            text += `${"0".repeat(zeros)}${isUpper ? size.toUpperCase() : size}${extension}\r\n${data}\r\n`;
          }
          const lines = trailers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
          text += `0\r\n${lines}\r\n`;
          const expected = {
            body: chunks.map(({ data }) => data).join(""),
            trailers:
              trailers.length === 0 ? undefined : trailers.flatMap(([name, value]) => [name, value.trim()]),
            ended: 1,
            end: text.length,
            fault: undefined,
          };
          for (const parts of [split(`${text}GET`, cuts), [`${text}GET`], text.split("")]) {
            const { calls: _, ...received } = read(CHUNKED, parts);
            assert.deepEqual(received, expected);
          }
        },
      ),
    );
  });

  it("reads a body of a length, and not a byte more", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary-ascii", minLength: 1 }),
        fc.array(fc.nat(), { maxLength: 5 }),
        (body, cuts) => {
          const { calls: _, ...received } = read(framingOfLength(body.length), split(`${body}GET`, cuts));
          assert.deepEqual(received, {
            body,
            trailers: undefined,
            ended: 1,
            end: body.length,
            fault: undefined,
          });
        },
      ),
    );
  });

  it("reads until the connection's end, and reports a body that was cut off", () => {
    const reader = new BodyReader();
    const whole = read(UNTIL_CLOSE, ["ab", "c"], reader);
    assert.deepEqual([whole.body, whole.ended, reader.done], ["abc", 0, false]);
    assert.equal(reader.finish(), true);
    assert.equal(reader.finish(), true);
    assert.deepEqual([whole.ended, reader.done], [1, true]);
    for (const [framing, text] of [
      [framingOfLength(4), "abc"],
      [CHUNKED, "3\r\nabc\r\n"],
      [CHUNKED, "3\r\nabc\r\n0\r\n"],
      [CHUNKED, "0\r\nx: y\r\n"],
    ] as const) {
      const cut = read(framing, [text], reader);
      assert.equal(reader.finish(), false);
      assert.equal(cut.ended, 0);
    }
  });

  it("ends a message without a body at once, and serves one body after the other", () => {
    const reader = new BodyReader();
    assert.equal(reader.done, true);
    assert.equal(reader.read(Buffer.from("GET"), 1), 1);
    let ended = 0;
    reader.begin(NO_BODY, { onData: () => assert.fail(), onEnd: () => ended++ });
    assert.deepEqual([ended, reader.done], [1, true]);
    for (const text of ["1\r\na\r\n0\r\nx: y\r\n\r\n", "0\r\n\r\n", "2;a=b\r\nab\r\n0;c\r\nz: 1\r\n\r\n"]) {
      assert.equal(read(CHUNKED, text.split(""), reader).end, text.length);
    }
    assert.equal(read(CHUNKED, ["x"], reader).fault, "bad_request");
    assert.equal(reader.read(Buffer.from("0\r\n\r\n"), 0), -1);
    assert.equal(read(framingOfLength(1), ["a"], reader).end, 1);
  });

  it("begins the next body from the end of the one before", () => {
    const reader = new BodyReader();
    let next = "";
    reader.begin(CHUNKED, {
      onData: () => {},
      onEnd: () =>
        reader.begin(framingOfLength(2), {
          onData: (chunk) => {
            next += Buffer.from(chunk).toString();
          },
          onEnd: () => {
            next += "!";
          },
        }),
    });
    const chunk = Buffer.from("1\r\na\r\n0\r\n\r\nbc");
    const end = reader.read(chunk, 0);
    assert.deepEqual([end, reader.done], [chunk.length - 2, false]);
    assert.equal(reader.read(chunk, end), chunk.length);
    assert.deepEqual([next, reader.done], ["bc!", true]);
  });

  it("discards the rest once the receiver is taken away", () => {
    const reader = new BodyReader();
    let calls = 0;
    for (const [framing, text] of [
      [CHUNKED, "9000\r\n" + "x".repeat(0x9000) + "\r\n9000\r\n" + "x".repeat(0x9000) + "\r\n0\r\n\r\n"],
      [framingOfLength(3), "abc"],
    ] as const) {
      reader.begin(framing, {
        onData: () => {
          calls++;
          reader.receiver = undefined;
        },
        onEnd: () => assert.fail(),
      });
      assert.equal(reader.read(Buffer.from(text), 0), text.length);
      assert.equal(reader.done, true);
    }
    assert.equal(calls, 2);
  });

  it("hands over 100,000 chunks of one byte in few calls and without a stall", () => {
    const text = `${"1\r\nx\r\n".repeat(100_000)}0\r\n\r\n`;
    const parts = Array.from({ length: Math.ceil(text.length / 65_536) }, (_, index) =>
      text.slice(index * 65_536, (index + 1) * 65_536),
    );
    for (const chunks of [[text], parts]) {
      const startMs = performance.now();
      const { body, calls, ended } = read(CHUNKED, chunks);
      const elapsedMs = performance.now() - startMs;
      assert.deepEqual([body.length, ended], [100_000, 1]);
      assert.ok(calls <= 2 * chunks.length, `${calls} calls`);
      assert.ok(elapsedMs < 500, `${elapsedMs} ms`);
    }
  });

  it("reads what the chunk encoder writes", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ minLength: 1, unit: "binary-ascii" })),
        fc.boolean(),
        (chunks, hasTrailers) => {
          const trailers = hasTrailers ? HeaderList.fromRaw(["X-Sum", "1"]) : undefined;
          const text =
            chunks.map((chunk) => chunkSizeLine(chunk.length) + chunk + CHUNK_END).join("") +
            lastChunkText(trailers);
          const received = read(CHUNKED, [text]);
          assert.deepEqual(
            [received.body, received.trailers, received.end],
            [chunks.join(""), trailers?.wire(), text.length],
          );
        },
      ),
    );
  });
});
