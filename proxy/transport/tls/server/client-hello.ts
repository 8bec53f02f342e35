// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** The part of a TLS client's first message by which its server is chosen. */
export interface ClientHello {
  /** The server name (SNI) in lower case; undefined when the client sent none. */
  readonly serverName: string | undefined;
}

/** Envoy's limit for the message. */
const MAX_CLIENT_HELLO_BYTES = 16 * 1024;

const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;
const RECORD_HEADER_BYTES = 5;
const MESSAGE_HEADER_BYTES = 4;
/** The longest record of plain text (RFC 8446, section 5.1). */
const MAX_RECORD_BYTES = 16 * 1024;
const SERVER_NAME_EXTENSION = 0;
const HOST_NAME = 0;

const SERVER_NAME = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/;
const MAX_SERVER_NAME_LENGTH = 253;

/**
 * Reads the server name of a ClientHello (RFC 8446, section 4.1.2; RFC 6066, section 3). OpenSSL reads the same bytes
 * afterwards and checks the rest of the message.
 *
 * @param bytes All bytes that came so far.
 * @returns `partial` when more bytes are needed; `malformed` when the bytes cannot become a ClientHello.
 */
export function readClientHello(bytes: Buffer): ClientHello | "partial" | "malformed" {
  const message = messageOf(bytes);
  if (typeof message === "string") return message;
  const body = new Cursor(message);
  // The version and the random number, the session's id, the cipher suites, the compression methods.
  body.skip(2 + 32);
  body.take(1);
  body.take(2);
  body.take(1);
  if (body.failed) return "malformed";
  if (body.isAtEnd) return { serverName: undefined };
  const extensions = new Cursor(body.take(2));
  while (!extensions.isAtEnd && !extensions.failed) {
    const type = extensions.number(2);
    const content = extensions.take(2);
    if (type !== SERVER_NAME_EXTENSION || extensions.failed) continue;
    const serverName = serverNameOf(content);
    return serverName === undefined ? "malformed" : { serverName };
  }
  return body.failed || extensions.failed ? "malformed" : { serverName: undefined };
}

/**
 * Whether a connection that begins with these bytes begins with a handshake record of TLS, as far as they tell. No request
 * of HTTP begins so: 22 is no character of a token (RFC 9110, section 5.6.2).
 *
 * @param bytes One at least.
 */
export function beginsTls(bytes: Buffer): boolean {
  return bytes[0] === HANDSHAKE_RECORD && (bytes[1] ?? 3) === 3;
}

/** The body of the first handshake message, which may be spread over several records. */
function messageOf(bytes: Buffer): Buffer | "partial" | "malformed" {
  const parts: Buffer[] = [];
  let size = 0;
  let needed = MESSAGE_HEADER_BYTES;
  for (let offset = 0; offset < bytes.length; ) {
    if (!beginsTls(bytes.subarray(offset))) return "malformed";
    if (bytes.length - offset < RECORD_HEADER_BYTES) return "partial";
    const length = bytes.readUInt16BE(offset + 3);
    if (length === 0 || length > MAX_RECORD_BYTES) return "malformed";
    offset += RECORD_HEADER_BYTES;
    const part = bytes.subarray(offset, offset + length);
    parts.push(part);
    size += part.length;
    offset += length;
    if (size >= MESSAGE_HEADER_BYTES && needed === MESSAGE_HEADER_BYTES) {
      const head = Buffer.concat(parts);
      needed += head.readUIntBE(1, 3);
      if (head[0] !== CLIENT_HELLO || needed > MAX_CLIENT_HELLO_BYTES) return "malformed";
    }
    if (size >= needed && needed > MESSAGE_HEADER_BYTES)
      return Buffer.concat(parts).subarray(MESSAGE_HEADER_BYTES, needed);
  }
  return "partial";
}

/** The first host name of the extension; undefined when the extension is malformed. */
function serverNameOf(extension: Buffer): string | undefined {
  const list = new Cursor(new Cursor(extension).take(2));
  const type = list.number(1);
  const name = list.take(2).toString("latin1").toLowerCase();
  if (list.failed || type !== HOST_NAME || name.length > MAX_SERVER_NAME_LENGTH) return undefined;
  return SERVER_NAME.test(name) ? name : undefined;
}

/** Reads numbers and byte strings in order. After the end of the bytes, it is `failed` and returns zeros. */
class Cursor {
  readonly #bytes: Buffer;
  #offset = 0;
  failed = false;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#offset >= this.#bytes.length;
  }

  skip(count: number): void {
    if (this.#offset + count > this.#bytes.length) this.failed = true;
    else this.#offset += count;
  }

  number(byteCount: 1 | 2): number {
    const at = this.#offset;
    this.skip(byteCount);
    return this.failed ? 0 : this.#bytes.readUIntBE(at, byteCount);
  }

  /** A byte string after its length of `lengthBytes` bytes. */
  take(lengthBytes: 1 | 2): Buffer {
    const length = this.number(lengthBytes);
    const at = this.#offset;
    this.skip(length);
    return this.failed ? EMPTY : this.#bytes.subarray(at, at + length);
  }
}

const EMPTY = Buffer.alloc(0);
