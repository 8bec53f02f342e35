// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { IncomingMessage } from "node:http";
import fc from "fast-check";
import { BodyReader } from "./body-reader.ts";

/** A request whose events the test controls. */
class Request extends EventEmitter {
  readonly headers: Record<string, string>;

  constructor(headers: Record<string, string> = {}) {
    super();
    this.headers = headers;
  }

  send(...pieces: readonly (string | Buffer)[]): void {
    for (const piece of pieces) this.emit("data", Buffer.from(piece));
  }
}

function read(reader: BodyReader, request: Request) {
  return new Promise<{ readonly text?: string; readonly code?: string }>((resolve) =>
    reader.read(request as unknown as IncomingMessage, {
      received: (text) => resolve({ text }),
      refused: ({ code }) => resolve({ code }),
    }),
  );
}

describe("the bodies of calls", () => {
  it("are read whole, in whatever chunks they arrive", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: "grapheme", maxLength: 200 }),
        fc.array(fc.nat(400), { maxLength: 8 }),
        async (text, cuts) => {
          const bytes = Buffer.from(text);
          const request = new Request();
          const answer = read(new BodyReader(10_000), request);
          const places = [
            0,
            ...cuts.filter((cut) => cut < bytes.length).toSorted((a, b) => a - b),
            bytes.length,
          ];
          for (const [index, from] of places.slice(0, -1).entries())
            request.send(bytes.subarray(from, places[index + 1]));
          request.emit("end");
          assert.equal((await answer).text, text);
        },
      ),
    );
  });

  it("are refused beyond the limit, announced or not, exact to the byte", async () => {
    for (const bytes of [0, 1, 99, 100, 101, 5_000]) {
      const announced = new Request({ "content-length": String(bytes) });
      const silent = new Request();
      const reader = new BodyReader(100);
      const answers = [announced, silent].map((request) => {
        const answer = read(reader, request);
        request.send("x".repeat(bytes));
        request.emit("end");
        return answer;
      });
      for (const answer of answers)
        assert.equal((await answer).code, bytes > 100 ? "PURSER_REQUEST_TOO_LARGE" : undefined, `${bytes}`);
    }
  });

  it("are refused when they are not UTF-8, or are truncated", async () => {
    for (const [bytes, end, code] of [
      [Buffer.from([0x22, 0xff, 0x22]), "end", "PURSER_REQUEST_INVALID"],
      [Buffer.from([0xed, 0xa0, 0x80]), "end", "PURSER_REQUEST_INVALID"],
      [Buffer.from("é"), "end", undefined],
      [Buffer.from("{"), "close", "PURSER_REQUEST_INVALID"],
    ] as const) {
      const request = new Request();
      const answer = read(new BodyReader(100), request);
      request.send(bytes);
      request.emit(end);
      assert.equal((await answer).code, code);
    }
  });

  it("may have a bounded number of chunks", async () => {
    for (const [pieces, bytes, code] of [
      [1_024, 1, undefined],
      [1_100, 1, "PURSER_REQUEST_INVALID"],
      [100_000, 1, "PURSER_REQUEST_INVALID"],
      [10_000, 50, "PURSER_REQUEST_INVALID"],
      [10_000, 64, undefined],
    ] as const) {
      const request = new Request();
      const answer = read(new BodyReader(1_048_576), request);
      for (let piece = 0; piece < pieces; piece++) request.send("x".repeat(bytes));
      request.emit("end");
      assert.equal((await answer).code, code, `${pieces} of ${bytes}`);
    }
  });

  it("share a memory limit: the largest body is refused, small ones are not", async () => {
    const reader = new BodyReader(1_000);
    const small = new Request();
    const smallAnswer = read(reader, small);
    small.send("x");
    const large = Array.from({ length: 64 }, () => new Request());
    const answers = large.map((request) => read(reader, request));
    large[0]?.send("x".repeat(1_000));
    for (const request of large.slice(1)) request.send("x".repeat(999));
    const last = new Request();
    const lastAnswer = read(reader, last);
    last.send("x".repeat(500));
    assert.equal((await (answers[0] as (typeof answers)[number])).code, "PURSER_OVERLOADED");
    for (const request of [small, last, ...large]) request.emit("end");
    assert.equal((await smallAnswer).text, "x");
    assert.equal((await lastAnswer).code, undefined);
    for (const answer of answers.slice(1)) assert.equal((await answer).code, undefined);
    // Refused and finished bodies hold no memory.
    const next = Array.from({ length: 64 }, () => new Request());
    const nextAnswers = next.map((request) => read(reader, request));
    for (const request of next) request.send("x".repeat(1_000));
    for (const request of next) request.emit("end");
    for (const answer of nextAnswers) assert.equal((await answer).code, undefined);
  });
});
