// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { StringDecoder } from "node:string_decoder";
import type { AttributeValue } from "../../core/attributes/bag.ts";
import type { ResponseHead } from "../transport/contract/head.ts";

/** Reads a body that passes, without holding it up. */
export interface BodyReader {
  add(chunk: Uint8Array): void;
  /** The JSON value of the body; undefined while it is not whole, and for a body that has none. */
  readonly value: AttributeValue | undefined;
}

/** Bound on the text that is kept of one body, in bytes: a larger body or event has no value. */
const MAX_TEXT_BYTES = 1_048_576;

/** A reader for JSON and for event streams; undefined for other bodies, and for compressed ones. */
export function bodyReaderFor({ headers }: Pick<ResponseHead, "headers">): BodyReader | undefined {
  const coding = headers.get("content-encoding")?.trim().toLowerCase() ?? "identity";
  if (coding !== "identity") return undefined;
  const [mediaType = ""] = (headers.get("content-type") ?? "").split(";");
  const type = mediaType.trim().toLowerCase();
  if (type === "text/event-stream") return new EventStreamReader();
  return type === "application/json" || type.endsWith("+json") ? new JsonReader() : undefined;
}

class JsonReader implements BodyReader {
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;

  add(chunk: Uint8Array): void {
    this.#bytes += chunk.byteLength;
    if (this.#bytes > MAX_TEXT_BYTES) this.#chunks.length = 0;
    // A transport may write the next chunk over this one.
    else this.#chunks.push(Uint8Array.prototype.slice.call(chunk));
  }

  get value(): AttributeValue | undefined {
    return this.#bytes > MAX_TEXT_BYTES ? undefined : parsed(Buffer.concat(this.#chunks).toString("utf8"));
  }
}

/**
 * Keeps the last event whose data is a JSON object with a member `usage`, or without such an event the last
 * JSON object: model APIs send the usage in one of the last events, and an end mark after it (`[DONE]` or an
 * event without usage).
 *
 * Lines and events as in the HTML standard, section 9.2.6 "Interpreting an event stream".
 */
class EventStreamReader implements BodyReader {
  readonly #decoder = new StringDecoder("utf8");
  /** The line that has begun. */
  #line = "";
  #isLineTooLong = false;
  /** The lines of data of the event that has begun; undefined for an event that is too large. */
  #data: string[] | undefined = [];
  #dataLength = 0;
  #last = "";
  #lastWithUsage = "";

  add(chunk: Uint8Array): void {
    const text =
      this.#line + this.#decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    // A CR at the end may be the first half of CRLF.
    const whole = text.endsWith("\r") ? text.slice(0, -1) : text;
    const lines = whole.split(/\r\n|\n|\r/);
    const rest = (lines.pop() ?? "") + text.slice(whole.length);
    for (const line of lines) this.#take(line);
    this.#line = rest;
    if (rest.length <= MAX_TEXT_BYTES) return;
    this.#line = "";
    this.#isLineTooLong = true;
  }

  get value(): AttributeValue | undefined {
    return parsed(this.#lastWithUsage === "" ? this.#last : this.#lastWithUsage);
  }

  #take(line: string): void {
    if (this.#isLineTooLong) {
      this.#isLineTooLong = false;
      this.#data = undefined;
    } else if (line === "") this.#dispatch();
    else if (line.startsWith("data:")) this.#addData(line.slice(line[5] === " " ? 6 : 5));
  }

  #addData(data: string): void {
    this.#dataLength += data.length;
    if (this.#dataLength > MAX_TEXT_BYTES) this.#data = undefined;
    this.#data?.push(data);
  }

  #dispatch(): void {
    const text = this.#data?.join("\n") ?? "";
    this.#data = [];
    this.#dataLength = 0;
    if (!text.startsWith("{")) return;
    this.#last = text;
    // OpenAI's other events of a stream with usage have `"usage":null`.
    if (text.includes('"usage"') && hasUsage(text)) this.#lastWithUsage = text;
  }
}

function hasUsage(text: string): boolean {
  const value = parsed(text) as { readonly usage?: unknown } | undefined;
  return typeof value?.usage === "object" && value.usage !== null;
}

/** The value of a JSON text that is an object or an array; undefined for any other text. */
function parsed(text: string): AttributeValue | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as AttributeValue) : undefined;
  } catch {
    return undefined;
  }
}
