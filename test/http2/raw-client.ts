// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { connect, type Socket } from "node:net";

export const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

export const TYPE = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;

export const END_STREAM = 1;
export const ACK = 1;
export const END_HEADERS = 4;

const NAMES = Object.keys(TYPE);
/** The error codes by their numbers. */
export const CODES = [
  "NO_ERROR",
  "PROTOCOL_ERROR",
  "INTERNAL_ERROR",
  "FLOW_CONTROL_ERROR",
  "SETTINGS_TIMEOUT",
  "STREAM_CLOSED",
  "FRAME_SIZE_ERROR",
  "REFUSED_STREAM",
  "CANCEL",
  "COMPRESSION_ERROR",
  "CONNECT_ERROR",
  "ENHANCE_YOUR_CALM",
  "INADEQUATE_SECURITY",
  "HTTP_1_1_REQUIRED",
];

/** A frame (RFC 9113, section 4.1). */
export function frame(
  type: number,
  flags: number,
  streamId: number,
  payload: Uint8Array = new Uint8Array(0),
): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(streamId, 5);
  return Buffer.concat([header, payload]);
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export const settings = (entries: readonly (readonly [id: number, value: number])[] = []): Buffer => {
  const payload = entries.map(([id, value]) => Buffer.concat([Buffer.from([0, id]), u32(value)]));
  return frame(TYPE.SETTINGS, 0, 0, Buffer.concat(payload));
};

/** Fields as literals without indexing and without Huffman coding (RFC 7541, section 6.2.2). */
export function block(fields: readonly (readonly [name: string, value: string])[]): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]));
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, "latin1");
  return Buffer.concat([length(bytes.length), bytes]);
}

/** An integer with a prefix of 7 bits (RFC 7541, section 5.1). */
function length(value: number): Buffer {
  if (value < 127) return Buffer.from([value]);
  const bytes = [127];
  let rest = value - 127;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

export const GET = [
  [":method", "GET"],
  [":scheme", "http"],
  [":path", "/"],
  [":authority", "a"],
] as const;

/** A request of one HEADERS frame. */
export function request(
  streamId: number,
  fields: readonly (readonly [string, string])[] = GET,
  flags = END_STREAM | END_HEADERS,
): Buffer {
  return frame(TYPE.HEADERS, flags, streamId, block(fields));
}

interface ReceivedFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

/** Reads the frames of one side of a connection. */
export class FrameReader {
  readonly frames: ReceivedFrame[] = [];
  #rest: Buffer = Buffer.alloc(0);

  add(chunk: Buffer): void {
    let bytes = Buffer.concat([this.#rest, chunk]);
    while (bytes.length >= 9) {
      const end = 9 + bytes.readUIntBE(0, 3);
      if (bytes.length < end) break;
      const streamId = bytes.readUInt32BE(5);
      this.frames.push({
        type: bytes[3] as number,
        flags: bytes[4] as number,
        streamId,
        payload: Buffer.from(bytes.subarray(9, end)),
      });
      bytes = bytes.subarray(end);
    }
    this.#rest = bytes;
  }
}

/** A client that writes frames as they are, and reads the server's. It answers nothing by itself. */
export class RawHttp2Client {
  readonly socket: Socket;
  readonly #reader = new FrameReader();
  readonly frames = this.#reader.frames;
  isClosed = false;

  constructor(port: number, first: Buffer = Buffer.concat([PREFACE, settings()])) {
    this.socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.socket.on("data", (chunk: Buffer) => this.#reader.add(chunk));
    this.socket.on("error", () => {});
    this.socket.on("close", () => (this.isClosed = true));
    this.socket.write(first);
  }

  send(...frames: readonly Buffer[]): void {
    this.socket.write(Buffer.concat(frames));
  }

  /** The last reactions to a stream: `RST_STREAM CODE`, or the kinds of its frames. */
  reactionOf(streamId: number): string {
    return this.frames
      .filter((each) => each.streamId === streamId && each.type !== TYPE.WINDOW_UPDATE)
      .map((each) => nameOf(each))
      .join();
  }

  /** Whether a stream has a whole response. */
  isAnswered(streamId: number): boolean {
    const frames = this.frames.filter(
      (each) => each.streamId === streamId && each.type !== TYPE.WINDOW_UPDATE,
    );
    return frames[0]?.type === TYPE.HEADERS && ((frames.at(-1)?.flags ?? 0) & END_STREAM) !== 0;
  }

  /** The code of the last GOAWAY; undefined without one. */
  get goaway(): string | undefined {
    const last = this.frames.findLast(({ type }) => type === TYPE.GOAWAY);
    return last === undefined ? undefined : CODES[last.payload.readUInt32BE(4)];
  }

  count(type: number, flags = 0): number {
    return this.frames.filter((each) => each.type === type && (each.flags & flags) === flags).length;
  }
}

/** `RST_STREAM CODE`, or the frame's kind. */
export function nameOf({ type, payload }: ReceivedFrame): string {
  const name = NAMES[type] ?? String(type);
  return type === TYPE.RST_STREAM ? `${name} ${CODES[payload.readUInt32BE(0)]}` : name;
}
