// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createRequire } from "node:module";

import { chunksOf, type FramedMessage, type Framing, type FuzzCase } from "./framed-message.ts";
import { MAX_HEAD_BYTES } from "./our-framing.ts";

/** Node's own HTTP parser (llhttp), as node:http uses it. */
interface Llhttp {
  initialize(type: number, resource: object, maxHeaderBytes: number, lenientFlags: number): void;
  /** Returns the number of bytes parsed, or an error. */
  execute(chunk: Buffer): number | (Error & { code: string; reason: string });
  finish(): unknown;
  /** Frees the parser's memory at once. */
  close(): void;
  [event: number]: unknown;
}

interface LlhttpClass {
  new (): Llhttp;
  readonly REQUEST: number;
  readonly RESPONSE: number;
  readonly kLenientNone: number;
  readonly kOnHeaders: number;
  readonly kOnHeadersComplete: number;
  readonly kOnBody: number;
  readonly kOnMessageComplete: number;
}

/** The module behind node:http that has the parser; it has no types. */
const { HTTPParser, methods: METHODS } = createRequire(import.meta.url)("_http_common") as {
  readonly HTTPParser: LlhttpClass;
  readonly methods: readonly string[];
};

/** The methods that llhttp knows; it has no others. */
export const LLHTTP_METHODS: ReadonlySet<string> = new Set(METHODS);

type HeadersComplete = (
  major: number,
  minor: number,
  headers: string[] | undefined,
  method: number | undefined,
  url: string | undefined,
  status: number | undefined,
  phrase: string | undefined,
  upgrade: boolean,
  keepAlive: boolean,
) => number;

/** What the callback of complete headers returns: there is no body. */
const SKIP_BODY = 1;

/** Frames a case with llhttp in its strict mode. */
export function llhttpFraming(one: FuzzCase): Framing {
  const parser = new HTTPParser();
  try {
    return framingBy(parser, one);
  } finally {
    parser.close();
  }
}

function framingBy(parser: Llhttp, one: FuzzCase): Framing {
  const framing: Framing = { messages: [], fault: undefined };
  const { messages } = framing;
  const isRequest = one.kind === "request";
  parser.initialize(
    isRequest ? HTTPParser.REQUEST : HTTPParser.RESPONSE,
    {},
    MAX_HEAD_BYTES,
    HTTPParser.kLenientNone,
  );
  let early: string[] = [];
  let earlyUrl = "";
  let answered = 0;
  let message: FramedMessage | undefined;
  let stops = false;
  // Called for every 32 fields, and for trailers.
  parser[HTTPParser.kOnHeaders] = (headers: string[], url: string) => {
    early.push(...headers);
    earlyUrl += url;
  };
  const onHeadersComplete: HeadersComplete = (
    major,
    minor,
    headers,
    method,
    url,
    status,
    _phrase,
    _upgrade,
    keepAlive,
  ) => {
    const name = METHODS[method ?? -1] ?? "";
    message = {
      start: isRequest ? `${name} ${url ?? earlyUrl}` : String(status),
      version: isRequest ? `${major}.${minor}` : "",
      fields: headers ?? early,
      keepAlive,
      body: "",
      trailers: [],
      complete: false,
    };
    messages.push(message);
    early = [];
    earlyUrl = "";
    if (isRequest) {
      stops = name === "CONNECT";
      return 0;
    }
    const asked = one.methods[Math.min(answered, one.methods.length - 1)];
    if ((status ?? 0) >= 200) answered++;
    stops = status === 101;
    return asked === "HEAD" || (status ?? 0) < 200 ? SKIP_BODY : 0;
  };
  parser[HTTPParser.kOnHeadersComplete] = onHeadersComplete;
  parser[HTTPParser.kOnBody] = (body: Buffer) => {
    if (message !== undefined) message.body += body.toString("latin1");
  };
  parser[HTTPParser.kOnMessageComplete] = () => {
    if (message === undefined) return;
    message.complete = true;
    message.trailers = early;
    early = [];
    earlyUrl = "";
  };
  for (const chunk of chunksOf(one)) {
    let rest = chunk;
    while (rest.length > 0 && !(stops && message?.complete)) {
      const parsed = parser.execute(rest);
      if (typeof parsed !== "number") {
        framing.fault = `${parsed.code} ${parsed.reason}`;
        return framing;
      }
      // After an error in a request that could upgrade, llhttp returns no error but a number below 1 for each chunk.
      if (parsed < 1) {
        framing.fault = "llhttp stopped";
        return framing;
      }
      // llhttp stops after a request that could upgrade; without an upgrade the rest is the next message.
      rest = rest.subarray(parsed);
    }
  }
  if (!stops) parser.finish();
  return framing;
}
