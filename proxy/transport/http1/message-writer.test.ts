// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { Socket } from "node:net";
import fc from "fast-check";

import { HeaderList } from "../contract/header-list.ts";
import { CHUNKED, framingOfLength, NO_BODY, UNTIL_CLOSE } from "./messages/framing.ts";
import { MessageWriter } from "./message-writer.ts";

const HEAD = "HTTP/1.1 200 OK\r\n\r\n";

/** A socket that records its system calls: one for each write, or for all writes of a cork. */
class RecordingSocket {
  readonly calls: Buffer[] = [];
  /** The callbacks of the writes. */
  readonly untold: (() => void)[] = [];
  destroyed = false;
  writableLength = 0;
  #corked: Buffer[] | undefined;

  write(data: string | Uint8Array, ...rest: readonly unknown[]): boolean {
    const bytes = typeof data === "string" ? Buffer.from(data, "latin1") : Buffer.from(data);
    const onTaken = rest.at(-1);
    if (typeof onTaken === "function") this.untold.push(onTaken as () => void);
    if (this.#corked === undefined) this.calls.push(bytes);
    else this.#corked.push(bytes);
    return true;
  }
  cork(): void {
    this.#corked = [];
  }
  uncork(): void {
    this.calls.push(Buffer.concat(this.#corked ?? []));
    this.#corked = undefined;
  }
  get text(): string {
    return Buffer.concat(this.calls).toString("latin1");
  }
}

function setUp(onTaken?: () => void): { socket: RecordingSocket; writer: MessageWriter } {
  const socket = new RecordingSocket();
  return { socket, writer: new MessageWriter(socket as unknown as Socket, onTaken) };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const bytes = (size: number): Buffer => Buffer.alloc(size, "x");

describe("MessageWriter", () => {
  it("writes a small message by one call, whatever its framing", async () => {
    for (const [framing, wire] of [
      [framingOfLength(1024), bytes(1024).toString()],
      [CHUNKED, `400\r\n${bytes(1024).toString()}\r\n0\r\n\r\n`],
      [UNTIL_CLOSE, bytes(1024).toString()],
    ] as const) {
      const { socket, writer } = setUp();
      writer.begin(HEAD, framing);
      writer.write(bytes(1024));
      assert.equal(writer.end(), true);
      assert.equal(writer.isFlushed, false);
      await turn();
      assert.equal(writer.isFlushed, true);
      assert.deepEqual(socket.calls.map(String), [HEAD + wire]);
    }
  });

  it("writes a head alone at the end of the turn, and an interim head with what follows it", async () => {
    const { socket, writer } = setUp();
    writer.writeHead("HTTP/1.1 103 Early Hints\r\n\r\n");
    writer.begin(HEAD, CHUNKED);
    assert.equal(socket.calls.length, 0);
    await turn();
    assert.deepEqual(socket.calls.map(String), [`HTTP/1.1 103 Early Hints\r\n\r\n${HEAD}`]);
    writer.write(bytes(1));
    await turn();
    assert.equal(socket.calls.length, 2);
    writer.end();
    await turn();
    assert.deepEqual(String(socket.calls[2]), "0\r\n\r\n");
  });

  it("writes a large chunk and its frame by one call, without copying it into text", () => {
    const { socket, writer } = setUp();
    writer.begin(HEAD, CHUNKED);
    writer.write(bytes(64 * 1024));
    assert.equal(socket.calls.length, 1);
    assert.equal(socket.text, `${HEAD}10000\r\n${bytes(64 * 1024).toString()}\r\n`);
  });

  it("writes trailers behind a chunked body alone", async () => {
    for (const [framing, end] of [
      [CHUNKED, "0\r\nx-sum: 1\r\n\r\n"],
      [UNTIL_CLOSE, ""],
    ] as const) {
      const { socket, writer } = setUp();
      writer.begin(HEAD, framing);
      writer.end(new HeaderList(["x-sum", "1"]));
      await turn();
      assert.equal(socket.text, HEAD + end);
    }
  });

  it("drops a body where there is none, and reports a body of another length", async () => {
    const { socket, writer } = setUp();
    writer.begin(HEAD, NO_BODY);
    writer.write(bytes(5));
    assert.equal(writer.end(), true);
    await turn();
    assert.equal(socket.text, HEAD);
    for (const size of [0, 4, 6]) {
      writer.begin(HEAD, framingOfLength(5));
      writer.write(bytes(size));
      assert.equal(writer.end(), false, String(size));
    }
    await turn();
    assert.ok(!socket.text.includes("x".repeat(6)));
  });

  it("asks to wait while much is unsent, and says once that it is over", () => {
    const { socket, writer } = setUp();
    writer.begin(HEAD, UNTIL_CLOSE);
    assert.equal(writer.write(bytes(2000)), true);
    assert.equal(writer.onDrain(), false);
    socket.writableLength = 64 * 1024;
    assert.equal(writer.write(bytes(2000)), false);
    assert.equal(writer.onDrain(), true);
    assert.equal(writer.onDrain(), false);
  });

  it("writes nothing on a socket that is gone", async () => {
    const { socket, writer } = setUp();
    writer.begin(HEAD, CHUNKED);
    socket.destroyed = true;
    await turn();
    writer.write(bytes(64 * 1024));
    writer.end();
    assert.deepEqual(socket.calls, []);
  });

  it("keeps every byte and its order, over any sequence of messages and turns", async () => {
    const size = fc.oneof(fc.nat(40), fc.integer({ min: 1000, max: 40_000 }));
    const message = fc.record({
      kind: fc.constantFrom("length", "chunked", "until-close"),
      chunks: fc.array(fc.record({ size, turns: fc.boolean() }), { maxLength: 6 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(message, { maxLength: 4 }), async (messages) => {
        const { socket, writer } = setUp();
        let expected = "";
        for (const { kind, chunks } of messages) {
          const total = chunks.reduce((sum, chunk) => sum + chunk.size, 0);
          writer.begin(
            HEAD,
            kind === "length" ? framingOfLength(total) : kind === "chunked" ? CHUNKED : UNTIL_CLOSE,
          );
          expected += HEAD;
          for (const chunk of chunks) {
            const data = Buffer.alloc(chunk.size, 0x80 + (chunk.size % 100));
            writer.write(chunk.size % 2 === 0 ? data : new Uint8Array(data));
            const text = data.toString("latin1");
            expected +=
              kind === "chunked" && chunk.size > 0 ? `${chunk.size.toString(16)}\r\n${text}\r\n` : text;
            if (chunk.turns) await turn();
          }
          assert.equal(writer.end(), true);
          if (kind === "chunked") expected += "0\r\n\r\n";
        }
        await turn();
        assert.ok(socket.text === expected);
      }),
      { numRuns: 100 },
    );
  });

  it("tells of each call when the socket has taken it, by the call's last write", async () => {
    for (const [framing, size] of [
      [framingOfLength(1), 1],
      [framingOfLength(20_000), 20_000],
      [CHUNKED, 20_000],
    ] as const) {
      let taken = 0;
      const { socket, writer } = setUp(() => void taken++);
      assert.equal(writer.tellsTaken, true);
      writer.begin(HEAD, framing);
      writer.write(bytes(size));
      writer.end();
      await turn();
      assert.equal(socket.untold.length, socket.calls.length);
      for (const tell of socket.untold) tell();
      assert.equal(taken, socket.calls.length);
    }
    const { socket, writer } = setUp();
    assert.equal(writer.tellsTaken, false);
    writer.writeHead(HEAD);
    await turn();
    assert.deepEqual(socket.untold, []);
  });
});
