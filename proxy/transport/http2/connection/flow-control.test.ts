// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";

import {
  CONNECTION_WINDOW_BYTES,
  FLAG,
  FRAME,
  INITIAL_WINDOW_BYTES,
  MAX_FRAME_BYTES,
  SETTING,
  STREAM_WINDOW_BYTES,
} from "../constants.ts";
import {
  FramePeer,
  frameOf,
  GET_BLOCK,
  serverConnection,
  settingsOf,
  turn,
  u32,
} from "./connection-rig.test.ts";
import type { FramedStream } from "./framed-stream.ts";
import type { StreamEvents } from "./stream-host.ts";

const HEAD_FLAGS = FLAG.endHeaders;
/** Turns after which a transfer counts as stuck. */
const MAX_TURNS = 5_000;

/** The byte at a place of a body. */
const byteAt = (streamId: number, at: number): number => (at * 7 + streamId) & 0xff;

const bodyPart = (streamId: number, from: number, size: number): Buffer =>
  Buffer.from(Array.from({ length: size }, (_, index) => byteAt(streamId, from + index)));

/** Random numbers below a limit. */
type Random = (limit: number) => number;

const random = fc.infiniteStream(fc.nat(2 ** 30)).map(
  (numbers): Random =>
    (limit) =>
      (numbers.next().value as number) % limit,
);

/** A client that counts what it allowed the server to send. */
class CountingClient extends FramePeer {
  window = INITIAL_WINDOW_BYTES;
  initialWindow = INITIAL_WINDOW_BYTES;
  readonly windows = new Map<number, number>();
  readonly received = new Map<number, number>();
  readonly ended = new Set<number>();
  /** Initial windows that the server has not acknowledged. */
  readonly unacknowledged: number[] = [];

  open(streamId: number): void {
    this.windows.set(streamId, this.initialWindow);
    this.received.set(streamId, 0);
    this.send(frameOf(FRAME.headers, HEAD_FLAGS | FLAG.endStream, streamId, GET_BLOCK));
  }

  changeInitialWindow(bytes: number): void {
    this.unacknowledged.push(bytes);
    this.send(frameOf(FRAME.settings, 0, 0, settingsOf([SETTING.initialWindowSize, bytes])));
  }

  allow(streamId: number, bytes: number): void {
    if (streamId === 0) this.window += bytes;
    else this.windows.set(streamId, (this.windows.get(streamId) ?? 0) + bytes);
    this.send(frameOf(FRAME.windowUpdate, 0, streamId, u32(bytes)));
  }

  override onSettingsAck(): void {
    const next = this.unacknowledged.shift() ?? this.initialWindow;
    for (const [id, window] of this.windows) this.windows.set(id, window + next - this.initialWindow);
    this.initialWindow = next;
  }

  override onFrame(type: number, _flags: number, streamId: number, length: number): void {
    if (type !== FRAME.data) return;
    assert.ok(length <= MAX_FRAME_BYTES);
    this.window -= length;
    const window = (this.windows.get(streamId) ?? 0) - length;
    this.windows.set(streamId, window);
    assert.ok(this.window >= 0, `the connection's window is ${this.window}`);
    assert.ok(length === 0 || window >= 0, `stream ${streamId}'s window is ${window}`);
  }

  override onData(streamId: number, part: Buffer): void {
    const from = this.received.get(streamId) ?? 0;
    assert.deepEqual(part, bodyPart(streamId, from, part.length));
    this.received.set(streamId, from + part.length);
  }

  override onDataEnd(streamId: number, endsStream: boolean): void {
    if (endsStream) this.ended.add(streamId);
  }

  /** An empty body ends with the head. */
  override onHeaders(streamId: number, endsStream: boolean, block: Buffer, start: number, end: number): void {
    super.onHeaders(streamId, endsStream, block, start, end);
    if (endsStream) this.ended.add(streamId);
  }
}

/** Sends a body of a size, part by part, as far as the stream allows. */
class BodySender implements StreamEvents {
  readonly #stream: FramedStream;
  readonly #size: number;
  readonly #random: Random;
  #sent = 0;

  constructor(stream: FramedStream, size: number, next: Random) {
    this.#stream = stream;
    this.#size = size;
    this.#random = next;
    stream.sendHead([":status", "200"], [], false);
    this.onWritable();
  }

  onWritable(): void {
    while (this.#sent < this.#size) {
      const part = bodyPart(
        this.#stream.id,
        this.#sent,
        Math.min(1 + this.#random(40_000), this.#size - this.#sent),
      );
      this.#sent += part.length;
      if (!this.#stream.write(part)) return;
    }
    this.#stream.end();
  }
  onHead(): void {}
  onData(): void {}
  onEnd(): void {}
  onClose(): void {}
}

describe("flow control of a connection of HTTP/2", function () {
  this.timeout(60_000);

  it("never sends a byte over a window, whatever the client allows and changes, and everything arrives", async function () {
    this.timeout(60_000);
    await fc.assert(
      fc.asyncProperty(random, async (next) => {
        const sizes = Array.from({ length: 1 + next(4) }, () => next(150_000));
        const { peer, connection } = serverConnection((end) => new CountingClient(end), {
          onStream(stream) {
            stream.events = new BodySender(stream, sizes[(stream.id - 1) / 2] as number, next);
          },
        });
        peer.begin();
        peer.unacknowledged.push(INITIAL_WINDOW_BYTES);
        const ids = sizes.map((_, index) => 2 * index + 1);
        for (const id of ids) peer.open(id);
        for (let turns = 0; peer.ended.size < ids.length; turns++) {
          assert.ok(turns < MAX_TURNS && peer.goawayCode === undefined, `stuck: ${turns} ${peer.goawayCode}`);
          const id = ids[next(ids.length)] as number;
          const action = next(6);
          if (action === 0) peer.changeInitialWindow(next(100_000));
          // No more often than the budget for WINDOW_UPDATE frames allows.
          else if (action === 1 && peer.window < 100_000) peer.allow(0, 1 + next(200_000));
          else if (action > 1 && (peer.windows.get(id) ?? 0) < 1_000 && !peer.ended.has(id))
            peer.allow(id, 1 + next(100_000));
          await turn();
        }
        for (const [index, id] of ids.entries()) assert.equal(peer.received.get(id), sizes[index]);
        assert.deepEqual([peer.faults, peer.goawayCode, connection.active], [[], undefined, 0]);
      }),
      { numRuns: 60 },
    );
  });

  it("opens the client's windows as its bytes are taken: everything arrives, and no window grows", async () => {
    await fc.assert(
      fc.asyncProperty(random, async (next) => {
        const taken = new Map<number, number>();
        const ended = new Set<number>();
        const streams: FramedStream[] = [];
        const { peer } = serverConnection(
          (end) => new SendingClient(end),
          {
            onStream(stream) {
              streams.push(stream);
              stream.events = {
                onHead() {},
                onData(part) {
                  const from = taken.get(stream.id) ?? 0;
                  assert.deepEqual(part, bodyPart(stream.id, from, part.length));
                  taken.set(stream.id, from + part.length);
                  if (next(3) === 0) stream.pause();
                },
                onEnd: () => void ended.add(stream.id),
                onWritable() {},
                onClose() {},
              };
            },
          },
          { settings: [SETTING.initialWindowSize, STREAM_WINDOW_BYTES] },
        );
        peer.begin();
        const sizes = Array.from({ length: 1 + next(4) }, () => next(300_000));
        for (const [index] of sizes.entries())
          peer.send(frameOf(FRAME.headers, HEAD_FLAGS, 2 * index + 1, GET_BLOCK));
        for (let turns = 0; ended.size < sizes.length; turns++) {
          assert.ok(turns < MAX_TURNS && peer.goawayCode === undefined, `stuck: ${turns} ${peer.goawayCode}`);
          for (const [index, size] of sizes.entries()) peer.sendBody(2 * index + 1, size, next);
          for (const stream of streams) if (next(2) === 0) stream.resume();
          await turn();
        }
        for (const [index, size] of sizes.entries()) assert.equal(taken.get(2 * index + 1) ?? 0, size);
        assert.deepEqual([peer.faults, peer.goawayCode], [[], undefined]);
      }),
      { numRuns: 60 },
    );
  });

  it("holds no more of a stream that nobody reads than its window, however it is divided", async () => {
    const { peer, connection } = serverConnection((end) => new SendingClient(end), {});
    peer.begin();
    peer.send(frameOf(FRAME.headers, HEAD_FLAGS, 1, GET_BLOCK));
    for (let turns = 0; turns < 300; turns++) {
      peer.sendBody(1, 1_000_000, () => 9_999);
      await turn();
    }
    assert.equal(peer.sentOn(1), STREAM_WINDOW_BYTES);
    const [stream] = connection.streams;
    stream?.reset(8);
    await turn();
    await turn();
    // Held bytes count as taken: the connection's window is open for other streams.
    peer.send(frameOf(FRAME.headers, HEAD_FLAGS, 3, GET_BLOCK));
    assert.equal(peer.goawayCode, undefined);
  });
});

/** A client that sends bodies within the windows that it knows of. */
class SendingClient extends FramePeer {
  #window = INITIAL_WINDOW_BYTES;
  readonly #windows = new Map<number, number>();
  readonly #sent = new Map<number, number>();
  readonly #ended = new Set<number>();

  sentOn(streamId: number): number {
    return this.#sent.get(streamId) ?? 0;
  }

  /** Sends the next part of a body, with padding or without, and its end. */
  sendBody(streamId: number, size: number, next: Random): void {
    if (this.#ended.has(streamId)) return;
    const from = this.sentOn(streamId);
    const window = this.#windows.get(streamId) ?? STREAM_WINDOW_BYTES;
    const padding = next(4) === 0 ? next(200) : undefined;
    const overhead = padding === undefined ? 0 : padding + 1;
    const room = Math.min(this.#window, window, MAX_FRAME_BYTES) - overhead;
    const count = Math.min(room, size - from, next(10_000));
    if (room < 0 || (count <= 0 && from < size)) return;
    const part = bodyPart(streamId, from, count);
    const isLast = from + count === size;
    const payload =
      padding === undefined ? part : Buffer.concat([Buffer.from([padding]), part, Buffer.alloc(padding)]);
    this.#sent.set(streamId, from + count);
    this.#window -= payload.length;
    this.#windows.set(streamId, window - payload.length);
    if (isLast) this.#ended.add(streamId);
    const flags = (isLast ? FLAG.endStream : 0) | (padding === undefined ? 0 : FLAG.padded);
    this.send(frameOf(FRAME.data, flags, streamId, payload));
  }

  override onWindowUpdate(streamId: number, increment: number): void {
    if (streamId === 0) {
      this.#window += increment;
      assert.ok(this.#window <= CONNECTION_WINDOW_BYTES);
      return;
    }
    const window = (this.#windows.get(streamId) ?? STREAM_WINDOW_BYTES) + increment;
    this.#windows.set(streamId, window);
    assert.ok(window <= STREAM_WINDOW_BYTES);
  }
}
