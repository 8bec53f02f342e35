// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { BodyReceiver } from "../../contract/body.ts";
import { HeaderList } from "../../contract/header-list.ts";
import { parseFieldBlock } from "./fields/field-block.ts";
import { HeadReader } from "./head-reader.ts";
import { latin1At } from "./latin1.ts";
import { MessageFault } from "./message-fault.ts";

/** Maximum size of a trailer section, in bytes: Envoy's default for a header block. */
const MAX_TRAILER_BYTES = 60 * 1024;

/** Maximum length of the extensions of one chunk, in bytes. A signature of AWS takes 81. */
const MAX_EXTENSION_BYTES = 256;

/** More digits than any size needs, for senders that pad. */
const MAX_SIZE_DIGITS = 16;

/** Chunks of one read up to this size are moved together; a copy of this many bytes takes less than a call onwards. */
const MOVED_MAX_BYTES = 8 * 1024;

/** Extensions of a chunk (RFC 9112, section 7.1.1), without whitespace. */
const EXTENSIONS =
  /^(?:;[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:=(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+|"(?:[\t !#-[\]-~]|\\[\t -~])*"))?)+$/;

/** The part of the chunked coding (RFC 9112, section 7.1) that the next byte belongs to. */
const SIZE = 0;
const EXTENSION = 1;
const SIZE_LINE_FEED = 2;
const DATA = 3;
const DATA_CARRIAGE_RETURN = 4;
const DATA_LINE_FEED = 5;
const TRAILER_START = 6;
const LAST_LINE_FEED = 7;
const TRAILERS = 8;

/** The body that a reader reads, as its owner sees it. */
export interface BodyProgress {
  receiver: BodyReceiver | undefined;
  done: boolean;
  fault: MessageFault | undefined;
}

/** Decodes the chunked coding. */
export class ChunkedReader {
  readonly #body: BodyProgress;
  #part = SIZE;
  #size = 0;
  #digits = 0;
  #extensions = "";
  #trailers: HeadReader | undefined;
  /** Data of this read that has not been handed over, by offsets. */
  #dataStart = 0;
  #dataEnd = 0;

  constructor(body: BodyProgress) {
    this.#body = body;
  }

  begin(): void {
    this.#beginSize();
  }

  /** As BodyReader.read, for a body that is not done. */
  read(chunk: Buffer, offset: number): number {
    this.#dataStart = this.#dataEnd = offset;
    let at = offset;
    while (at < chunk.length) {
      switch (this.#part) {
        case SIZE:
          if (this.#digits === 0) at = this.#readWholeChunks(chunk, at);
          at = this.#readSize(chunk, at);
          break;
        case EXTENSION:
          at = this.#readExtensions(chunk, at);
          break;
        case DATA:
          at = this.#readData(chunk, at);
          break;
        case SIZE_LINE_FEED:
          at = this.#expect(chunk, at, LF, this.#size === 0 ? TRAILER_START : DATA);
          break;
        case DATA_CARRIAGE_RETURN:
          at = this.#expect(chunk, at, CR, DATA_LINE_FEED);
          break;
        case DATA_LINE_FEED:
          at = this.#expect(chunk, at, LF, SIZE);
          if (at >= 0) this.#beginSize();
          break;
        case TRAILER_START:
          this.#part = chunk[at] === CR ? LAST_LINE_FEED : TRAILERS;
          if (this.#part === LAST_LINE_FEED) at++;
          break;
        case LAST_LINE_FEED:
          at = this.#expect(chunk, at, LF, SIZE);
          return at < 0 ? -1 : this.#end(chunk, at, undefined);
        default:
          return this.#readTrailers(chunk, at);
      }
      if (at < 0) return -1;
    }
    this.#handOver(chunk);
    return at;
  }

  #beginSize(): void {
    this.#part = SIZE;
    this.#size = 0;
    this.#digits = 0;
  }

  /**
   * Fast path for small chunks without extensions that this read has whole (50 ns for a chunk of one byte, where the
   * states below take 500): stops before the first other chunk, and finds no faults.
   */
  #readWholeChunks(chunk: Buffer, offset: number): number {
    const { length } = chunk;
    let at = offset;
    for (;;) {
      let size = 0;
      let line = at;
      for (; line < length && line < at + 4; line++) {
        const digit = HEX[chunk[line] as number] as number;
        if (digit > 15) break;
        size = size * 16 + digit;
      }
      const start = line + 2;
      const end = start + size;
      // A line without digits has the size 0.
      if (size === 0 || size > MOVED_MAX_BYTES || end + 2 > length) return at;
      if (chunk[line] !== CR || chunk[line + 1] !== LF || chunk[end] !== CR || chunk[end + 1] !== LF)
        return at;
      this.#gather(chunk, start, end);
      at = end + 2;
    }
  }

  #readSize(chunk: Buffer, offset: number): number {
    for (let at = offset; at < chunk.length; at++) {
      const byte = chunk[at] as number;
      const digit = HEX[byte] as number;
      if (digit < 16) {
        if (++this.#digits > MAX_SIZE_DIGITS)
          return this.#refuse(chunk, "A chunk's size has too many digits.");
        this.#size = this.#size * 16 + digit;
        if (this.#size > Number.MAX_SAFE_INTEGER) return this.#refuse(chunk, "A chunk is too large.");
      } else if (this.#digits > 0 && byte === CR) {
        this.#part = SIZE_LINE_FEED;
        return at + 1;
      } else if (this.#digits > 0 && byte === SEMICOLON) {
        this.#part = EXTENSION;
        this.#extensions = "";
        return at;
      } else {
        return this.#refuse(chunk, "A chunk's size is malformed.");
      }
    }
    return chunk.length;
  }

  #readExtensions(chunk: Buffer, at: number): number {
    const found = chunk.indexOf(CR, at);
    const end = found < 0 ? chunk.length : found;
    if (this.#extensions.length + end - at > MAX_EXTENSION_BYTES) {
      return this.#refuse(chunk, `A chunk's extensions are longer than ${MAX_EXTENSION_BYTES} bytes.`);
    }
    this.#extensions += latin1At(chunk, at, end);
    if (found < 0) return end;
    if (!EXTENSIONS.test(this.#extensions)) return this.#refuse(chunk, "A chunk's extensions are malformed.");
    this.#part = SIZE_LINE_FEED;
    return end + 1;
  }

  #readData(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#size);
    this.#gather(chunk, at, end);
    this.#size -= end - at;
    if (this.#size === 0) this.#part = DATA_CARRIAGE_RETURN;
    return end;
  }

  /** Adds data to what is handed over next: moves small pieces to the ones before them. */
  #gather(chunk: Buffer, start: number, end: number): void {
    if (this.#dataStart === this.#dataEnd) {
      this.#dataStart = start;
      this.#dataEnd = end;
      return;
    }
    if (end - start > MOVED_MAX_BYTES) {
      this.#handOver(chunk);
      this.#dataStart = start;
      this.#dataEnd = end;
    } else if (end - start < 32) {
      let to = this.#dataEnd;
      for (let from = start; from < end; from++) chunk[to++] = chunk[from] as number;
      this.#dataEnd = to;
    } else {
      chunk.copyWithin(this.#dataEnd, start, end);
      this.#dataEnd += end - start;
    }
  }

  #handOver(chunk: Buffer): void {
    const start = this.#dataStart;
    const end = this.#dataEnd;
    if (start === end) return;
    this.#dataStart = this.#dataEnd = 0;
    this.#body.receiver?.onData(start === 0 && end === chunk.length ? chunk : chunk.subarray(start, end));
  }

  #readTrailers(chunk: Buffer, at: number): number {
    const reader = (this.#trailers ??= new HeadReader(MAX_TRAILER_BYTES, "trailers"));
    const end = reader.read(chunk, at);
    if (end < 0) {
      const { fault } = reader;
      if (fault === undefined) {
        this.#handOver(chunk);
        return chunk.length;
      }
      reader.reset();
      return this.#refuse(chunk, fault.detail, fault);
    }
    const block = parseFieldBlock(reader.text, 0);
    reader.reset();
    if (block instanceof MessageFault) return this.#refuse(chunk, block.detail, block);
    const trailers = HeaderList.of(block);
    if (trailers.findName(isFramingName) !== undefined) {
      return this.#refuse(chunk, "Trailers may not frame the message, nor end the connection.");
    }
    return this.#end(chunk, end, trailers);
  }

  #end(chunk: Buffer, at: number, trailers: HeaderList | undefined): number {
    this.#handOver(chunk);
    // Before the call, which may begin the next body.
    this.#body.done = true;
    this.#body.receiver?.onEnd(trailers);
    return at;
  }

  #expect(chunk: Buffer, at: number, byte: number, next: number): number {
    if (chunk[at] !== byte) return this.#refuse(chunk, "A chunk does not end where its size says.");
    this.#part = next;
    return at + 1;
  }

  #refuse(chunk: Buffer, detail: string, fault = new MessageFault("bad_request", detail)): number {
    this.#handOver(chunk);
    this.#body.fault = fault;
    return -1;
  }
}

/** Fields that some recipients would obey in trailers too. */
function isFramingName(name: string): boolean {
  return name === "content-length" || name === "transfer-encoding" || name === "connection";
}

const CR = 0x0d;
const LF = 0x0a;
const SEMICOLON = 0x3b;
/** The value of each byte as a hexadecimal digit; 255 for other bytes. */
const HEX = new Uint8Array(256).fill(255);
for (let digit = 0; digit < 16; digit++) {
  HEX[digit.toString(16).charCodeAt(0)] = digit;
  HEX[digit.toString(16).toUpperCase().charCodeAt(0)] = digit;
}
