// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";

import type { FuzzCase } from "./fuzz/framed-message.ts";
import { llhttpFraming } from "./fuzz/llhttp-framing.ts";
import { ourFraming } from "./fuzz/our-framing.ts";

/**
 * The kinds of payload of public request-smuggling corpora, with the verdict of the codec. The kinds are those of
 * PortSwigger's research (2019 to 2025: CL.TE, TE.CL, TE.TE, CL.0, 0.CL, pause-based), of T-Reqs and the HTTP
 * Garden (differential fuzzing of servers), of HAProxy's, Node's and Apache's advisories, and of "Funky chunks" (2025: TERM.EXT,
 * EXT.TERM, TERM.SPILL, SPILL.TERM).
 */
type Verdict =
  /** Refused with its head. */
  | "head refused"
  /** Refused within its body: what was read of the request is cut off. */
  | "body refused"
  /** Read as this many whole requests. */
  | number;

interface Payload {
  readonly kind: string;
  readonly text: string;
  readonly verdict: Verdict;
}

const START = "POST / HTTP/1.1\r\nHost: a\r\n";
const GET = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
const LAST = "0\r\n\r\n";

/** A request with these field lines and a chunked body, followed by another request. */
function fields(lines: string, body = LAST + GET): string {
  return `${START}${lines}\r\n\r\n${body}`;
}

/** A chunked request with these chunks. */
function chunks(body: string): string {
  return fields("Transfer-Encoding: chunked", body);
}

/** Lines that hide a coding from one of two servers, which must not be ignored. */
const TE_TRICKS: readonly string[] = [
  "Transfer-Encoding : chunked",
  "Transfer-Encoding\t: chunked",
  " Transfer-Encoding: chunked",
  "\tTransfer-Encoding: chunked",
  "Transfer-Encoding:\x0bchunked",
  "Transfer-Encoding: \x0cchunked",
  "Transfer-Encoding:\tchunked",
  "Transfer-Encoding: chunked\t",
  "Transfer-Encoding: xchunked",
  "Transfer-Encoding: chunkedx",
  "Transfer-Encoding: chunked, identity",
  "Transfer-Encoding: identity, chunked",
  "Transfer-Encoding: chunked, cow",
  "Transfer-Encoding: cow\r\nTransfer-Encoding: chunked",
  "Transfer-Encoding: chunked\r\nTransfer-Encoding: cow",
  "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
  "Transfer-Encoding: identity",
  "Transfer-Encoding: ,chunked",
  "Transfer-Encoding: chunked,",
  "Transfer-Encoding: chunked;",
  "Transfer-Encoding: chunked;q=1",
  'Transfer-Encoding: "chunked"',
  "Transfer-Encoding: 'chunked'",
  "Transfer-Encoding: chun\r\n ked",
  "Transfer-Encoding:\r\n chunked",
  "Transfer-Encoding:\n chunked",
  "Transfer-Encoding: chunked\nX: y",
  "X: y\nTransfer-Encoding: chunked",
  "X: y\rTransfer-Encoding: chunked",
  "X: y\r\rTransfer-Encoding: chunked",
  "Transfer-Encoding: chunked\0",
  "Transfer-Encoding\0: chunked",
  "Transfer-Encoding: \x80chunked",
  "Transfer-Encoding\x80: chunked",
  "Transfer-Encoding\x0b: chunked",
  "Transfer-Encoding: chunked\x7f",
  "Transfer Encoding: chunked",
  "Transfer-Encoding chunked",
  ": Transfer-Encoding: chunked",
  "Transfer-Encoding: gzip, chunked",
  "Transfer-Encoding:",
];

/** Lines that are fields of another name: without a framing of its own, the request has no body. */
const OTHER_NAMES: readonly string[] = [
  "Transfer_Encoding: chunked",
  "X-Transfer-Encoding: chunked",
  "Transfer-Encodin: chunked",
  "TransferEncoding: chunked",
  "Content_Length: 5",
  "X: Transfer-Encoding: chunked",
  "Connection: Transfer-Encoding",
];

const CL_TRICKS: readonly string[] = [
  "Content-Length: 5\r\nContent-Length: 0",
  "Content-Length: 5\r\nContent-Length: 5",
  "Content-Length: 5, 5",
  "Content-Length: 0,5",
  "Content-Length: +5",
  "Content-Length: -5",
  "Content-Length: 0x5",
  "Content-Length: 5e0",
  "Content-Length: 5.0",
  "Content-Length: 5;",
  "Content-Length: 5 0",
  "Content-Length: ",
  "Content-Length: 5\x0b",
  "Content-Length: \x0b5",
  "Content-Length: 5\0",
  "Content-Length: 5\t",
  "Content-Length : 5",
  " Content-Length: 5",
  "Content-Length\0: 5",
  "Content-Length:\r\n 5",
  "Content-Length: \xb2",
  "Content-Length: 18446744073709551621",
  "Content-Length: 4294967296000000005",
];

/** Chunks that servers end in different places. */
const CHUNK_TRICKS: readonly string[] = [
  // TERM.EXT and EXT.TERM: a line end within an extension that some servers take for the end of the size's line.
  `2;\nxx\r\n4c\r\n${LAST}${GET}`,
  `2;\rxx\r\n4c\r\n${LAST}${GET}`,
  `2;a="\n"\r\nxx\r\n${LAST}${GET}`,
  `0;\n\r\n${GET}`,
  // TERM.SPILL and SPILL.TERM: data that exceeds its chunk, where some servers skip two bytes blindly.
  `5\r\nAAAAAXX2\r\n45\r\n${LAST}${GET}`,
  `5\r\nAAAAA\rX2\r\n45\r\n${LAST}`,
  `5\r\nAAAAA\n2\r\n45\r\n${LAST}`,
  `5\r\nAAAAAA\r\n${LAST}`,
  // Sizes.
  `0x5\r\nAAAAA\r\n${LAST}`,
  `+5\r\nAAAAA\r\n${LAST}`,
  `-5\r\nAAAAA\r\n${LAST}`,
  ` 5\r\nAAAAA\r\n${LAST}`,
  `5 \r\nAAAAA\r\n${LAST}`,
  `5\t;a\r\nAAAAA\r\n${LAST}`,
  `5 ;a\r\nAAAAA\r\n${LAST}`,
  `5\0\r\nAAAAA\r\n${LAST}`,
  `5_0\r\nAAAAA\r\n${LAST}`,
  `100000000000000005\r\nAAAAA\r\n${LAST}`,
  `10000000000000005\r\nAAAAA\r\n${LAST}`,
  `FFFFFFFFFFFFFFFF\r\nAAAAA\r\n${LAST}`,
  `\r\n5\r\nAAAAA\r\n${LAST}`,
  `5\nAAAAA\n0\n\n${GET}`,
  `5\r\nAAAAA\r\n0\n\n${GET}`,
  `5\r\nAAAAA\r\n0\r\n\n${GET}`,
  // Trailers.
  `0\r\nContent-Length: 5\r\n\r\n${GET}`,
  `0\r\nTransfer-Encoding: chunked\r\n\r\n${GET}`,
  `0\r\nConnection: close\r\n\r\n${GET}`,
  `0\r\nX: y\n\r\n${GET}`,
  `0\r\n X: y\r\n\r\n${GET}`,
  `0\r\nX : y\r\n\r\n${GET}`,
  `0\r\n${GET}`,
];

const PAYLOADS: readonly Payload[] = [
  {
    kind: "CL.TE",
    text: fields("Content-Length: 6\r\nTransfer-Encoding: chunked", "0\r\n\r\nG"),
    verdict: "head refused",
  },
  {
    kind: "TE.CL",
    text: fields("Transfer-Encoding: chunked\r\nContent-Length: 4", `5c\r\n${GET}`),
    verdict: "head refused",
  },
  { kind: "0.CL", text: fields("Content-Length: 0\r\nTransfer-Encoding: chunked"), verdict: "head refused" },
  { kind: "CL.0", text: fields(`Content-Length: ${GET.length}`, GET), verdict: 1 },
  {
    kind: "CL.0 with GET",
    text: `GET / HTTP/1.1\r\nHost: a\r\nContent-Length: ${GET.length}\r\n\r\n${GET}`,
    verdict: 1,
  },
  { kind: "TE.0", text: chunks(`${GET.length.toString(16)}\r\n${GET}\r\n${LAST}`), verdict: 1 },
  {
    kind: "TE.TE with CL",
    text: fields("Transfer-Encoding: chunked\r\nTransfer-encoding: x\r\nContent-Length: 4"),
    verdict: "head refused",
  },
  {
    kind: "TE in HTTP/1.0",
    text: `POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${LAST}${GET}`,
    verdict: "head refused",
  },
  { kind: "CL with leading zeros", text: fields("Content-Length: 0005", `AAAAA${GET}`), verdict: 2 },
  {
    kind: "Expect (0.CL by 100 Continue)",
    text: fields("Expect: 100-continue\r\nContent-Length: 5", `AAAAA${GET}`),
    verdict: 2,
  },
  {
    kind: "an obfuscated Expect",
    text: fields("Expect: y 100-continue\r\nContent-Length: 5", `AAAAA${GET}`),
    verdict: 2,
  },
  { kind: "upper case", text: fields("TRANSFER-ENCODING: CHUNKED"), verdict: 2 },
  { kind: "extensions", text: chunks(`5;a=b;c="\\""\r\nAAAAA\r\n0;d\r\n\r\n${GET}`), verdict: 2 },
  {
    kind: "leading zeros of a size",
    text: chunks(`0000000000000005\r\nAAAAA\r\n000\r\n\r\n${GET}`),
    verdict: 2,
  },
  { kind: "a trailer", text: chunks(`5\r\nAAAAA\r\n0\r\nX: y\r\n\r\n${GET}`), verdict: 2 },
  { kind: "empty lines between requests", text: chunks(`${LAST}\r\n\r\n${GET}`), verdict: 2 },
  { kind: "two hosts", text: `GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n${GET}`, verdict: "head refused" },
  {
    kind: "a host and a bare LF",
    text: `GET / HTTP/1.1\r\nHost: a\nHost: b\r\n\r\n${GET}`,
    verdict: "head refused",
  },
  { kind: "a folded host", text: `GET / HTTP/1.1\r\nHost:\r\n a\r\n\r\n${GET}`, verdict: "head refused" },
  {
    kind: "a space before the host",
    text: `GET / HTTP/1.1\r\n Host: a\r\nHost: b\r\n\r\n${GET}`,
    verdict: "head refused",
  },
  {
    kind: "a host with a path",
    text: `GET / HTTP/1.1\r\nHost: a/b?c\r\n\r\n${GET}`,
    verdict: "head refused",
  },
  {
    kind: "a host with user information",
    text: `GET / HTTP/1.1\r\nHost: b@a\r\n\r\n${GET}`,
    verdict: "head refused",
  },
  {
    kind: "absolute-form with another host",
    text: `GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n${GET}`,
    verdict: 2,
  },
  {
    kind: "an authority with GET",
    text: `GET @b/ HTTP/1.1\r\nHost: a\r\n\r\n${GET}`,
    verdict: "head refused",
  },
  {
    kind: "a request line within the target",
    text: `GET / HTTP/1.1 HTTP/1.1\r\nHost: a\r\n\r\n${GET}`,
    verdict: "head refused",
  },
  { kind: "HTTP/0.9", text: `GET /\r\n\r\n${GET}`, verdict: "head refused" },
  { kind: "HTTP/1.2", text: `GET / HTTP/1.2\r\nHost: a\r\n\r\n${GET}`, verdict: "head refused" },
  { kind: "the preface of HTTP/2", text: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", verdict: "head refused" },
  {
    kind: "an upgrade with a body",
    text: fields(`Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: ${GET.length}`, GET),
    verdict: 1,
  },
  {
    kind: "h2c",
    text: `GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n${GET}`,
    verdict: 2,
  },
  {
    kind: "bytes after Connection: close",
    text: `GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n${GET}`,
    verdict: 1,
  },
  { kind: "bare LF everywhere", text: "GET / HTTP/1.1\nHost: a\n\n", verdict: "head refused" },
  { kind: "bare CR everywhere", text: "GET / HTTP/1.1\rHost: a\r\r", verdict: "head refused" },
  ...TE_TRICKS.map((line): Payload => ({ kind: "TE trick", text: fields(line), verdict: "head refused" })),
  ...TE_TRICKS.map(
    (line): Payload => ({
      kind: "TE trick with CL",
      text: fields(`Content-Length: 5\r\n${line}`),
      verdict: "head refused",
    }),
  ),
  ...OTHER_NAMES.map((line): Payload => ({ kind: "another name", text: fields(line, GET), verdict: 2 })),
  ...CL_TRICKS.map(
    (line): Payload => ({ kind: "CL trick", text: fields(line, `AAAAA${GET}`), verdict: "head refused" }),
  ),
  ...CHUNK_TRICKS.map(
    (body): Payload => ({ kind: "chunk trick", text: chunks(body), verdict: "body refused" }),
  ),
];

describe("payloads of request smuggling", () => {
  for (const { kind, text, verdict } of PAYLOADS) {
    it(`${kind}: ${JSON.stringify(text.replace(START, "").replace(GET, "…"))} is ${verdictText(verdict)}`, () => {
      for (const splits of [[], Array.from({ length: text.length - 1 }, (_, at) => at + 1)]) {
        const one: FuzzCase = { kind: "request", text, methods: [], splits };
        const { messages, fault } = ourFraming(one);
        const whole = messages.filter(({ complete }) => complete);
        if (typeof verdict === "number") {
          assert.equal(fault, undefined);
          assert.equal(whole.length, verdict);
          assert.equal(messages.length, verdict);
          assert.deepEqual(
            llhttpFraming(one)
              .messages.slice(0, verdict)
              .map(({ start, body }) => [start, body]),
            messages.map(({ start, body }) => [start, body]),
          );
        } else {
          assert.notEqual(fault, undefined);
          assert.equal(whole.length, 0);
          assert.equal(messages.length, verdict === "head refused" ? 0 : 1);
        }
      }
    });
  }
});

function verdictText(verdict: Verdict): string {
  return typeof verdict === "string" ? verdict : `${verdict} request${verdict === 1 ? "" : "s"}`;
}
