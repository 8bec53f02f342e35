// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";

import { MessageFault } from "./message-fault.ts";
import { type ParsedResponse, parseResponseHead } from "./response-head.ts";

function head(...lines: readonly string[]): string {
  return `${lines.join("\r\n")}\r\n\r\n`;
}

function ok(...lines: readonly string[]): string {
  return head("HTTP/1.1 200 OK", ...lines);
}

function parse(text: string, method = "GET"): ParsedResponse {
  const parsed = parseResponseHead(text, method);
  assert.ok(!(parsed instanceof MessageFault), parsed instanceof MessageFault ? parsed.detail : "");
  return parsed;
}

const REFUSED: readonly (readonly [name: string, text: string])[] = [
  ["another protocol", head("SSH-2.0-OpenSSH_9.0")],
  ["HTTP/2.0", head("HTTP/2.0 200 OK")],
  ["HTTP/1.2", head("HTTP/1.2 200 OK")],
  ["HTTP/0.9", head("HTTP/0.9 200 OK")],
  ["a version in lower case", head("http/1.1 200 OK")],
  ["no status", head("HTTP/1.1 OK")],
  ["a status of two digits", head("HTTP/1.1 20 OK")],
  ["a status of four digits", head("HTTP/1.1 2000 OK")],
  ["a status below 100", head("HTTP/1.1 099 OK")],
  ["a signed status", head("HTTP/1.1 +20 OK")],
  ["two spaces before the status", head("HTTP/1.1  200 OK")],
  ["a tab before the phrase", head("HTTP/1.1 200\tOK")],
  ["NUL in the phrase", head("HTTP/1.1 200 O\0K")],
  ["a bare CR in the phrase", head("HTTP/1.1 200 O\rK")],
  ["a bare LF after the phrase", "HTTP/1.1 200 OK\nX: y\r\n\r\n"],
  ["an empty line before it", `\r\n${ok()}`],
  ["a folded line", ok("X: a", " b")],
  ["a space before the colon", ok("X : a")],
  ["NUL in a value", ok("X: a\0")],
  ["a bare LF", ok("X: a\nY: b")],
  ["two content-lengths", ok("Content-Length: 1", "Content-Length: 1")],
  ["a malformed content-length", ok("Content-Length: 1x")],
  ["both framings", ok("Content-Length: 1", "Transfer-Encoding: chunked")],
  ["a coding other than chunked", ok("Transfer-Encoding: gzip, chunked")],
  ["identity", ok("Transfer-Encoding: identity")],
  ["chunked twice", ok("Transfer-Encoding: chunked", "Transfer-Encoding: chunked")],
  ["chunked in HTTP/1.0", head("HTTP/1.0 200 OK", "Transfer-Encoding: chunked")],
  ["101 fields", ok(...Array.from({ length: 101 }, () => "a: b"))],
];

describe("a response's head", () => {
  for (const [name, text] of REFUSED) {
    it(`with ${name} is refused`, () => {
      assert.ok(parseResponseHead(text, "GET") instanceof MessageFault);
    });
  }

  it("may have an empty reason phrase, or one of any text", () => {
    for (const phrase of [" ", "", " OK", " a\tb: \x80"]) {
      assert.equal(parse(head(`HTTP/1.1 404${phrase}`, "Content-Length: 0")).head.status, 404);
    }
    assert.equal(parse(head("HTTP/1.1 999 x")).head.status, 999);
  });

  it("frames the body by its length, by chunks, or by the connection's end", () => {
    for (const [text, kind, length, keepAlive] of [
      [ok("Content-Length: 5"), "length", 5, true],
      [ok("Content-Length: 0"), "none", 0, true],
      [ok("Transfer-Encoding: chunked"), "chunked", 0, true],
      [ok("Content-Length: 5", "Connection: close"), "length", 5, false],
      [ok(), "until-close", 0, false],
      [head("HTTP/1.0 200 OK", "Content-Length: 5"), "length", 5, false],
      [head("HTTP/1.0 200 OK", "Content-Length: 5", "Connection: keep-alive"), "length", 5, true],
    ] as const) {
      const parsed = parse(text);
      assert.deepEqual([parsed.framing, parsed.keepAlive], [{ kind, length }, keepAlive], text);
    }
  });

  it("has no body after HEAD and for 1xx, 204 and 304, whatever its fields say", () => {
    for (const field of ["Content-Length: 5", "Transfer-Encoding: chunked", "X: y"]) {
      for (const [status, method] of [
        [200, "HEAD"],
        [404, "HEAD"],
        [100, "GET"],
        [103, "GET"],
        [204, "GET"],
        [304, "GET"],
      ] as const) {
        const { framing, keepAlive } = parse(head(`HTTP/1.1 ${status} x`, field), method);
        assert.deepEqual([framing.kind, keepAlive], ["none", true], `${status} ${method} ${field}`);
      }
    }
  });

  it("names the protocol of a 101", () => {
    const lines = ["Connection: Upgrade", "Upgrade: WebSocket"];
    assert.equal(parse(head("HTTP/1.1 101 Switching Protocols", ...lines)).upgrade, "websocket");
    assert.equal(parse(head("HTTP/1.1 101 Switching Protocols", lines[1] ?? "")).upgrade, undefined);
    assert.equal(parse(head("HTTP/1.1 200 OK", ...lines)).upgrade, undefined);
  });
});
