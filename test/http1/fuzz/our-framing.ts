// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { HeaderList } from "../../../proxy/transport/contract/header-list.ts";
import { BodyReader } from "../../../proxy/transport/http1/messages/body-reader.ts";
import { HeadReader } from "../../../proxy/transport/http1/messages/head-reader.ts";
import { MessageFault } from "../../../proxy/transport/http1/messages/message-fault.ts";
import {
  type ParsedRequest,
  parseRequestHead,
} from "../../../proxy/transport/http1/messages/request-head.ts";
import {
  type ParsedResponse,
  parseResponseHead,
} from "../../../proxy/transport/http1/messages/response-head.ts";
import { chunksOf, type FramedMessage, type Framing, type FuzzCase } from "./framed-message.ts";

/** Above the size of every case. */
export const MAX_HEAD_BYTES = 64 * 1024;

/** Frames a case with the proxy's codec, as a connection does. */
export function ourFraming(one: FuzzCase): Framing {
  const connection = new OurConnection(one);
  for (const chunk of chunksOf(one)) if (!connection.read(chunk)) break;
  connection.finish();
  return connection.framing;
}

class OurConnection {
  readonly framing: Framing = { messages: [], fault: undefined };
  readonly #case: FuzzCase;
  readonly #heads: HeadReader;
  readonly #bodies = new BodyReader();
  #answered = 0;
  #closes = false;

  constructor(one: FuzzCase) {
    this.#case = one;
    this.#heads = new HeadReader(MAX_HEAD_BYTES, one.kind);
  }

  /** @returns Whether the connection goes on. */
  read(chunk: Buffer): boolean {
    let at = 0;
    while (at < chunk.length) {
      if (this.#bodies.done) {
        if (this.#closes) return false;
        at = this.#heads.read(chunk, at);
        if (at < 0) return this.#refused(this.#heads.fault);
        const parsed = this.#parse(this.#heads.text);
        this.#heads.reset();
        if (parsed instanceof MessageFault) return this.#refused(parsed);
        this.#begin(parsed);
      } else {
        at = this.#bodies.read(chunk, at);
        if (at < 0) return this.#refused(this.#bodies.fault);
      }
    }
    return true;
  }

  finish(): void {
    if (this.framing.fault === undefined) this.#bodies.finish();
  }

  #parse(text: string): ParsedRequest | ParsedResponse | MessageFault {
    const { kind, methods } = this.#case;
    if (kind === "request") return parseRequestHead(text, []);
    return parseResponseHead(text, methods[Math.min(this.#answered, methods.length - 1)] ?? "GET");
  }

  #begin(parsed: ParsedRequest | ParsedResponse): void {
    const { head, framing, keepAlive } = parsed;
    const start = "method" in head ? `${head.method} ${head.target}` : String(head.status);
    if (!("method" in head) && head.status >= 200) this.#answered++;
    this.#closes = !keepAlive || start.startsWith("CONNECT ") || start === "101";
    const message: FramedMessage = {
      start,
      version: "httpVersion" in head ? head.httpVersion : "",
      fields: head.headers.wire(),
      keepAlive,
      body: "",
      trailers: [],
      complete: false,
    };
    this.framing.messages.push(message);
    this.#bodies.begin(framing, {
      onData: (chunk) => {
        message.body += Buffer.from(chunk).toString("latin1");
      },
      onEnd: (trailers: HeaderList | undefined) => {
        message.trailers = trailers?.wire() ?? [];
        message.complete = true;
      },
    });
  }

  #refused(fault: MessageFault | undefined): boolean {
    this.framing.fault = fault?.detail;
    return fault === undefined;
  }
}
