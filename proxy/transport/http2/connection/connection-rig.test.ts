// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Socket } from "node:net";
import { Duplex } from "node:stream";

import { FRAME, PREFACE } from "../constants.ts";
import { FrameReader } from "../frames/frame-reader.ts";
import type { FrameReceiver } from "../frames/frame-receiver.ts";
import { HpackDecoder } from "../hpack/hpack-decoder.ts";
import type { ConnectionEvents, ConnectionOptions } from "./connection-events.ts";
import { FramedConnection } from "./framed-connection.ts";

/** One end of a pipe in memory, which stands for a socket. */
class PipeEnd extends Duplex {
  other: PipeEnd | undefined = undefined;

  override _read(): void {}
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    // A copy, as a socket makes: the writer uses its memory again.
    this.other?.push(Buffer.from(chunk));
    setImmediate(done);
  }
  override _final(done: () => void): void {
    this.other?.push(null);
    done();
  }
}

function pipe(): readonly [PipeEnd, PipeEnd] {
  const ends = [new PipeEnd(), new PipeEnd()] as const;
  ends[0].other = ends[1];
  ends[1].other = ends[0];
  return ends;
}

/** A frame (RFC 9113, section 4.1). */
export function frameOf(type: number, flags: number, streamId: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.alloc(9 + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(streamId, 5);
  bytes.set(payload, 9);
  return bytes;
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A payload of SETTINGS. */
export function settingsOf(...entries: readonly (readonly [id: number, value: number])[]): Buffer {
  return Buffer.concat(entries.map(([id, value]) => Buffer.concat([Buffer.from([0, id]), u32(value)])));
}

/** `GET http /` by entries of the static table, with `:authority` by a literal. */
export const GET_BLOCK = Buffer.from([0x82, 0x86, 0x84, 0x01, 0x01, 0x61]);

/** The other side of a connection under test: reads frames, writes bytes as they are. */
export abstract class FramePeer implements FrameReceiver {
  readonly #end: PipeEnd;
  readonly #decoder = new HpackDecoder();
  readonly faults: string[] = [];
  goawayCode: number | undefined = undefined;

  constructor(end: PipeEnd) {
    this.#end = end;
    const reader = new FrameReader(this, false);
    end.on("data", (chunk: Buffer) => reader.read(chunk));
    end.on("error", () => {});
  }

  send(...bytes: readonly Uint8Array[]): void {
    if (!this.#end.writableEnded) this.#end.write(Buffer.concat(bytes));
  }

  /** The client's preface and its SETTINGS. */
  begin(...entries: readonly (readonly [id: number, value: number])[]): void {
    this.send(Buffer.from(PREFACE, "latin1"), frameOf(FRAME.settings, 0, 0, settingsOf(...entries)));
  }

  onFrame(_type: number, _flags: number, _streamId: number, _length: number): void {}
  onData(_streamId: number, _part: Buffer): void {}
  onDataEnd(_streamId: number, _endsStream: boolean): void {}
  onHeaders(_streamId: number, _endsStream: boolean, block: Buffer, start: number, end: number): void {
    const fault = this.#decoder.decode(block, start, end, { isFull: false, onField() {} });
    if (fault !== undefined) this.faults.push(fault);
  }
  onReset(_streamId: number, _code: number): void {}
  onSettings(_payload: Buffer, _start: number, _end: number): void {
    this.send(frameOf(FRAME.settings, 1, 0, new Uint8Array()));
  }
  onSettingsAck(): void {}
  onPing(_payload: Buffer, _start: number, _isAck: boolean): void {}
  onGoaway(_lastStreamId: number, code: number): void {
    this.goawayCode = code;
  }
  onWindowUpdate(_streamId: number, _increment: number): void {}
  onStreamFault(_streamId: number, code: number): void {
    this.faults.push(`stream fault ${code}`);
  }
  onFault(_code: number, detail: string): void {
    this.faults.push(detail);
  }
}

/** A server's connection on a pipe, whose other end `peer` makes. */
export function serverConnection<T extends FramePeer>(
  peer: (end: PipeEnd) => T,
  events: Partial<ConnectionEvents>,
  options: Partial<ConnectionOptions> = {},
): { readonly connection: FramedConnection; readonly peer: T } {
  const [near, far] = pipe();
  const connection = new FramedConnection(
    near as unknown as Socket,
    { isServer: true, settings: [], maxHeaderBytes: 60_000, maxPeerStreams: 100, ...options },
    { ...NO_EVENTS, ...events },
  );
  const made = peer(far);
  connection.start(Buffer.alloc(0));
  return { connection, peer: made };
}

const NO_EVENTS: ConnectionEvents = {
  onStream() {},
  onSettings() {},
  onGoaway() {},
  onEndKnown() {},
  onStreamClosed() {},
  onFlood() {},
  onFault() {},
  onClosed() {},
};

/** Lets the turn, and the writes of the pipe, pass. */
export function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
