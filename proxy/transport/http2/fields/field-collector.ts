// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { HeaderList } from "../../contract/header-list.ts";
import { MAX_FIELDS } from "../../http1/messages/fields/field-block.ts";
import { isSecret } from "../hpack/encoder-name.ts";
import type { FieldSink } from "../hpack/hpack-decoder.ts";

/** Kinds of header blocks, which have different pseudo-header fields (RFC 9113, section 8.3). */
export type BlockKind = "request" | "response" | "trailers";

/** A value that HTTP/1.1 can carry, and that is the same as bytes and as text. */
const ASCII_VALUE = /^[\t\x20-\x7e]*$/;
/** A value that HTTP/1.1 can carry: no control character other than a tab. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** A token without upper case (RFC 9113, section 8.2.1). */
const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;

/** At most 2^53 - 1. */
const CONTENT_LENGTH = /^[0-9]{1,15}$/;

/** Fields about a connection of HTTP/1.1, which make a message of HTTP/2 malformed (RFC 9113, section 8.2.2). */
const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

/** Names that were found to be allowed: most heads have the same few. */
const allowedNames = new Set<string>();
const MAX_ALLOWED_NAMES = 1000;

/** In the spans of a `FieldBlock`: not in a text; and, for the second of each pair, plain. See `HeaderList.setPlain`. */
const OWN = -1;
const PLAIN = -2;

/** Overhead of a field in the size of a list (RFC 9113, section 10.5.1). */
const FIELD_OVERHEAD_BYTES = 32;

/**
 * Collects the fields of one header block, and finds what makes it malformed (RFC 9113, sections 8.2 and 8.3). One collector
 * serves all blocks of a connection: read it before the next one.
 */
export class FieldCollector implements FieldSink {
  /** Sentence; undefined when the block is well-formed. */
  fault: string | undefined = undefined;
  /** Whether the block has more bytes or fields than allowed. */
  isTooLarge = false;
  /** Whether no further field of the block is needed: it is too large, or malformed. */
  isFull = false;
  method: string | undefined = undefined;
  scheme: string | undefined = undefined;
  authority: string | undefined = undefined;
  path: string | undefined = undefined;
  protocol: string | undefined = undefined;
  status: string | undefined = undefined;
  host: string | undefined = undefined;
  contentLength: string | undefined = undefined;
  readonly #maxBytes: number;
  #kind: BlockKind = "request";
  #bytes = 0;
  #flat: string[] = [];
  #spans: number[] = [];
  #cookie: string | undefined = undefined;
  #neverIndexed: Set<string> | undefined = undefined;

  /** @param maxBytes Maximum size of a list, in bytes. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  begin(kind: BlockKind): void {
    this.#kind = kind;
    this.isFull = false;
    this.fault = undefined;
    this.isTooLarge = false;
    this.method = undefined;
    this.scheme = undefined;
    this.authority = undefined;
    this.path = undefined;
    this.protocol = undefined;
    this.status = undefined;
    this.host = undefined;
    this.contentLength = undefined;
    this.#bytes = 0;
    this.#flat = [];
    this.#spans = [];
    this.#cookie = undefined;
    this.#neverIndexed = undefined;
    // A request's authority, which comes before the other fields. See `headers`.
    if (kind === "request") this.#push("host", "", PLAIN);
  }

  onField(name: string, value: string, isNeverIndexed: boolean): void {
    if (isNeverIndexed && !isSecret(name)) (this.#neverIndexed ??= new Set()).add(name);
    this.#bytes += name.length + value.length + FIELD_OVERHEAD_BYTES;
    if (this.#bytes > this.#maxBytes) return this.#stop();
    if (name.charCodeAt(0) === COLON) return this.#onPseudo(name, value);
    if (!allowedNames.has(name) && !this.#isAllowed(name)) return;
    const isAscii = ASCII_VALUE.test(value);
    if ((!isAscii && !VALUE.test(value)) || hasOuterBlank(value)) {
      this.#fail("A header value has a character that is forbidden.");
      return;
    }
    switch (name.length) {
      case 2:
        if (name === "te" && value !== "trailers") return this.#fail("The only value of TE is trailers.");
        break;
      case 4:
        if (name !== "host") break;
        if (this.#kind === "request") return this.#onHost(value);
        if (this.#kind === "trailers") return this.#fail("There is a Host header in trailers.");
        break;
      case 6:
        if (name === "cookie") return this.#onCookie(value);
        break;
      case 14:
        if (name === "content-length" && !this.#onContentLength(value)) return;
        break;
    }
    if (this.#flat.length >= 2 * MAX_FIELDS) return this.#stop();
    this.#push(name, value, isAscii ? PLAIN : OWN);
  }

  /** Ends the block: the parts of a cookie are one field (RFC 9113, section 8.2.3). */
  end(): void {
    const cookie = this.#cookie;
    if (cookie !== undefined) this.#push("cookie", cookie, ASCII_VALUE.test(cookie) ? PLAIN : OWN);
  }

  /**
   * The fields other than pseudo-header fields, without `host`.
   *
   * @param authority The value of a `host` field in front of them; for a request.
   */
  headers(authority?: string): HeaderList {
    if (authority !== undefined) this.#flat[1] = authority;
    return HeaderList.of({
      text: "",
      flat: this.#flat,
      spans: this.#spans,
      neverIndexed: this.#neverIndexed,
    });
  }

  #onPseudo(name: string, value: string): void {
    // The place for a request's authority does not count.
    if (
      this.#flat.length > (this.#kind === "request" ? 2 : 0) ||
      this.#cookie !== undefined ||
      this.host !== undefined
    )
      return this.#fail("A pseudo-header field comes after another field, or in trailers.");
    if (!VALUE.test(value)) return this.#fail("A pseudo-header field has a character that is forbidden.");
    if (this.#kind === "request") this.#onRequestPseudo(name, value);
    else if (this.#kind === "response" && name === ":status" && this.status === undefined)
      this.status = value;
    else this.#fail("A pseudo-header field is unknown, or there twice.");
  }

  #onRequestPseudo(name: string, value: string): void {
    switch (name) {
      case ":method":
        if (this.method !== undefined) break;
        this.method = value;
        return;
      case ":scheme":
        if (this.scheme !== undefined) break;
        this.scheme = value;
        return;
      case ":authority":
        if (this.authority !== undefined) break;
        this.authority = value;
        return;
      case ":path":
        if (this.path !== undefined) break;
        this.path = value;
        return;
      case ":protocol":
        if (this.protocol !== undefined) break;
        this.protocol = value;
        return;
    }
    this.#fail("A pseudo-header field is unknown, or there twice.");
  }

  #isAllowed(name: string): boolean {
    if (!NAME.test(name)) this.#fail("A header name has a character that is forbidden.");
    else if (CONNECTION_FIELDS.has(name)) this.#fail("HTTP/2 has no fields about the connection.");
    else {
      if (allowedNames.size < MAX_ALLOWED_NAMES && name.length <= 64) allowedNames.add(name);
      return true;
    }
    return false;
  }

  #onHost(value: string): void {
    if (this.host !== undefined) return this.#fail("There is more than one Host header.");
    this.host = value;
  }

  #onCookie(value: string): void {
    this.#cookie = this.#cookie === undefined ? value : `${this.#cookie}; ${value}`;
  }

  /** @returns Whether the field is to be kept. */
  #onContentLength(value: string): boolean {
    // In trailers, it would say after the body how long the body was (RFC 9110, section 6.5.1).
    if (this.contentLength !== undefined || this.#kind === "trailers" || !CONTENT_LENGTH.test(value)) {
      this.#fail("Content-Length must be one number, before the body.");
      return false;
    }
    this.contentLength = value;
    return true;
  }

  #push(name: string, value: string, span: number): void {
    this.#flat.push(name, value);
    this.#spans.push(OWN, span);
  }

  #fail(detail: string): void {
    this.fault = detail;
    this.isFull = true;
  }

  #stop(): void {
    this.isTooLarge = true;
    this.isFull = true;
  }
}

const COLON = 0x3a;

/** A value may not begin or end with whitespace (RFC 9113, section 8.2.1). */
function hasOuterBlank(value: string): boolean {
  if (value.length === 0) return false;
  const first = value.charCodeAt(0);
  const last = value.charCodeAt(value.length - 1);
  return first === 0x20 || first === 0x09 || last === 0x20 || last === 0x09;
}
