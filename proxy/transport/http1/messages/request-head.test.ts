// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";

import type { ParsedRequest } from "./request-head.ts";
import { parseRequestHead } from "./request-head.ts";
import { MessageFault } from "./message-fault.ts";

/** Lines of a request, with its empty line. */
function head(...lines: readonly string[]): string {
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** A GET with a host and further lines. */
function get(...lines: readonly string[]): string {
  return head("GET / HTTP/1.1", "Host: a", ...lines);
}

/** A POST with a host and further lines. */
function post(...lines: readonly string[]): string {
  return head("POST / HTTP/1.1", "Host: a", ...lines);
}

function parse(text: string, protocols: readonly string[] = []): ParsedRequest {
  const parsed = parseRequestHead(text, protocols);
  assert.ok(!(parsed instanceof MessageFault), parsed instanceof MessageFault ? parsed.detail : "");
  return parsed;
}

const REFUSED: readonly (readonly [name: string, text: string, detail: RegExp])[] = [
  // Request lines.
  ["no version (HTTP/0.9)", head("GET /"), /request line/],
  ["HTTP/0.9", head("GET / HTTP/0.9"), /versions/],
  ["HTTP/1.2", head("GET / HTTP/1.2", "Host: a"), /versions/],
  ["HTTP/2.0", head("PRI * HTTP/2.0"), /versions/],
  ["a version in lower case", head("GET / http/1.1", "Host: a"), /request line/],
  ["a version with a leading zero", head("GET / HTTP/01.1", "Host: a"), /versions/],
  ["two spaces", head("GET  / HTTP/1.1", "Host: a"), /request line/],
  ["a tab instead of a space", head("GET\t/ HTTP/1.1", "Host: a"), /request line/],
  ["a space before the method", head(" GET / HTTP/1.1", "Host: a"), /request line/],
  ["a space after the version", head("GET / HTTP/1.1 ", "Host: a"), /request line/],
  ["a space in the target", head("GET /a b HTTP/1.1", "Host: a"), /request line/],
  ["no target", head("GET HTTP/1.1", "Host: a"), /request line/],
  ["no method", head("/ HTTP/1.1", "Host: a"), /request line/],
  ["a method that is no token", head("G(T / HTTP/1.1", "Host: a"), /request line/],
  ["a control character in the target", head("GET /\x01 HTTP/1.1", "Host: a"), /request line/],
  ["a byte above 0x7f in the target", head("GET /\xe9 HTTP/1.1", "Host: a"), /request line/],
  ["a bare CR in the request line", head("GET /\r HTTP/1.1", "Host: a"), /request line/],
  ["a bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", /request line/],
  // Targets.
  ["a target without a slash", head("GET a HTTP/1.1", "Host: a"), /target/],
  ["a target that is a query", head("GET ?a HTTP/1.1", "Host: a"), /target/],
  ["an asterisk with GET", head("GET * HTTP/1.1", "Host: a"), /target/],
  ["an absolute target without a host", head("GET http:///a HTTP/1.1", "Host: a"), /target/],
  ["an absolute target with a quote for a host", head('GET http://" HTTP/1.1', "Host: a"), /target/],
  ["an absolute target with a digit in its scheme", head("GET htt6://a/ HTTP/1.1", "Host: a"), /target/],
  ["an absolute target with user information", head("GET http://u@a/ HTTP/1.1", "Host: a"), /target/],
  ["an absolute target without slashes", head("GET http:a HTTP/1.1", "Host: a"), /target/],
  ["an authority with GET", head("GET a:80 HTTP/1.1", "Host: a"), /target/],
  ["a path with CONNECT", head("CONNECT / HTTP/1.1", "Host: a"), /target/],
  ["CONNECT without a port", head("CONNECT a HTTP/1.1", "Host: a"), /target/],
  ["CONNECT with a body", head("CONNECT a:80 HTTP/1.1", "Host: a", "Content-Length: 1"), /body/],
  // Field lines.
  ["a folded line", get("X: a", " b"), /whitespace/],
  ["a line folded by a tab", get("X: a", "\tb"), /whitespace/],
  ["a line of whitespace", get(" "), /whitespace/],
  ["whitespace before the first field", head("GET / HTTP/1.1", " Host: a"), /line 1 begins/],
  ["a space before the colon", get("X : a"), /before the colon/],
  ["a tab before the colon", get("X\t: a"), /before the colon/],
  ["a name with a space", get("X Y: a"), /not a token/],
  ["an empty name", get(": a"), /not a token/],
  ["a name with a byte above 0x7f", get("X\xe9: a"), /not a token/],
  ["a name with NUL", get("X\0: a"), /not a token/],
  ["a line without a colon", get("X"), /no colon/],
  ["NUL in a value", get("X: a\0b"), /control/],
  ["DEL in a value", get("X: a\x7fb"), /control/],
  ["a vertical tab in a value", get("X: a\x0bb"), /control/],
  ["a bare CR in a value", get("X: a\rb"), /carriage return/],
  ["a bare LF in a value", get("X: a\nY: b"), /line feed/],
  ["a bare LF at the line's end", "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", /line feed/],
  ["CR CR LF at the line's end", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", /carriage return/],
  // Hosts.
  ["two hosts", get("Host: b"), /more than one/],
  ["two equal hosts", get("Host: a"), /more than one/],
  ["a host with a space", head("GET / HTTP/1.1", "Host: a b"), /malformed/],
  ["a host with a slash", head("GET / HTTP/1.1", "Host: a/b"), /malformed/],
  ["a host with user information", head("GET / HTTP/1.1", "Host: u@a"), /malformed/],
  ["a host above 0x7f", head("GET / HTTP/1.1", "Host: \xe9"), /malformed/],
  // Framing.
  ["two content-lengths", post("Content-Length: 1", "Content-Length: 2"), /one number/],
  ["two equal content-lengths", post("Content-Length: 1", "Content-Length: 1"), /one number/],
  ["a list of content-lengths", post("Content-Length: 1, 1"), /one number/],
  ["a content-length with a sign", post("Content-Length: +1"), /one number/],
  ["a negative content-length", post("Content-Length: -1"), /one number/],
  ["a hexadecimal content-length", post("Content-Length: 0x1"), /one number/],
  ["a fractional content-length", post("Content-Length: 1.0"), /one number/],
  ["an empty content-length", post("Content-Length:"), /one number/],
  ["a content-length beside a tab", post("Content-Length: 1\t"), /one number/],
  ["a content-length above 2^53", post("Content-Length: 18446744073709551617"), /one number/],
  ["both framings", post("Content-Length: 1", "Transfer-Encoding: chunked"), /both/],
  ["both framings, the other way", post("Transfer-Encoding: chunked", "Content-Length: 0"), /both/],
  ["two codings", post("Transfer-Encoding: gzip, chunked"), /chunked, once/],
  ["chunked twice", post("Transfer-Encoding: chunked, chunked"), /chunked, once/],
  ["chunked twice in two fields", post("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), /once/],
  ["chunked that is not last", post("Transfer-Encoding: chunked, identity"), /once/],
  ["identity", post("Transfer-Encoding: identity"), /once/],
  ["an empty coding", post("Transfer-Encoding:"), /once/],
  ["a coding that ends like chunked", post("Transfer-Encoding: xchunked"), /once/],
  ["chunked with a parameter", post("Transfer-Encoding: chunked;a=b"), /once/],
  ["chunked in quotes", post('Transfer-Encoding: "chunked"'), /once/],
  ["chunked after a tab", post("Transfer-Encoding:\tchunked"), /once/],
  ["chunked in HTTP/1.0", head("POST / HTTP/1.0", "Transfer-Encoding: chunked"), /1\.0/],
];

describe("a request's head", () => {
  for (const [name, text, detail] of REFUSED) {
    it(`with ${name} is refused`, () => {
      const fault = parseRequestHead(text);
      assert.ok(fault instanceof MessageFault, name);
      assert.equal(fault.reason, "bad_request");
      assert.match(fault.detail, detail);
    });
  }

  it("may have 100 fields, and not 101", () => {
    const lines = Array.from({ length: 99 }, (_, index) => `X-${index}: ${index}`);
    assert.equal(parse(get(...lines)).head.headers.size, 100);
    const fault = parseRequestHead(get(...lines, "X: y"));
    assert.ok(fault instanceof MessageFault);
    assert.equal(fault.reason, "request_headers_too_large");
  });

  it("has fields in order, with names in lower case and values without the whitespace around them", () => {
    const { headers } = parse(get("X-A: 1", "x-b:2", "X-a: \t a  b\t ", "Empty:", "Bytes: \x80\xff")).head;
    assert.deepEqual(headers.flat(), [
      "host",
      "a",
      "x-a",
      "1",
      "x-b",
      "2",
      "x-a",
      "a  b",
      "empty",
      "",
      "bytes",
      "\x80\xff",
    ]);
    assert.equal(headers.get("x-a"), "1, a  b");
    assert.equal(
      headers.wireText(),
      "Host: a\r\nX-A: 1\r\nx-b:2\r\nX-a: \t a  b\t \r\nEmpty:\r\nBytes: \x80\xff\r\n",
    );
  });

  it("has any token as its method, and targets of the four forms", () => {
    for (const [line, method, target] of [
      ["FOO!#$%&'*+-.^_`|~ /a HTTP/1.1", "FOO!#$%&'*+-.^_`|~", "/a"],
      ["OPTIONS * HTTP/1.1", "OPTIONS", "*"],
      ["CONNECT a:443 HTTP/1.1", "CONNECT", "a:443"],
      ["CONNECT [::1]:443 HTTP/1.1", "CONNECT", "[::1]:443"],
      ["GET http://b/c?d HTTP/1.1", "GET", "http://b/c?d"],
      ["get //a?b=c%20\\|{} HTTP/1.1", "get", "//a?b=c%20\\|{}"],
    ] as const) {
      const parsed = parse(head(line, "Host: a")).head;
      assert.deepEqual([parsed.method, parsed.target], [method, target]);
    }
  });

  it("has a body of the length or the chunks that it declares, else none", () => {
    const framingOf = (text: string): unknown => {
      const { framing, head: parsed } = parse(text);
      return [framing.kind, framing.length, parsed.hasBody, parsed.contentLength];
    };
    assert.deepEqual(framingOf(get()), ["none", 0, false, undefined]);
    assert.deepEqual(framingOf(post()), ["none", 0, false, undefined]);
    assert.deepEqual(framingOf(post("Content-Length: 0")), ["none", 0, false, 0]);
    assert.deepEqual(framingOf(post("Content-Length:  007 ")), ["length", 7, true, 7]);
    assert.deepEqual(framingOf(get("content-LENGTH: 999999999999999")), [
      "length",
      999_999_999_999_999,
      true,
      999_999_999_999_999,
    ]);
    assert.deepEqual(framingOf(post("Transfer-Encoding: Chunked")), ["chunked", 0, true, undefined]);
  });

  it("keeps the connection alive by the version and by Connection", () => {
    const keepsAlive = (version: string, ...lines: readonly string[]): boolean =>
      parse(head(`GET / HTTP/${version}`, "Host: a", ...lines)).keepAlive;
    assert.equal(keepsAlive("1.1"), true);
    assert.equal(keepsAlive("1.0"), false);
    assert.equal(keepsAlive("1.0", "Connection: Keep-Alive"), true);
    assert.equal(keepsAlive("1.1", "Connection: x, Close"), false);
    assert.equal(keepsAlive("1.1", "Connection: closed"), true);
    assert.equal(keepsAlive("1.1", "Connection: keep-alive", "Connection: close"), false);
    assert.equal(keepsAlive("1.0", "Connection: keep-alive, close"), false);
  });

  it("upgrades only to an accepted protocol that Connection names, in HTTP/1.1, without a body", () => {
    const upgradeOf = (text: string): string | undefined => parse(text, ["websocket"]).head.upgrade;
    const lines = ["Connection: keep-alive, Upgrade", "Upgrade: WebSocket"];
    assert.equal(upgradeOf(get(...lines)), "websocket");
    assert.equal(upgradeOf(get(...lines, "Content-Length: 0")), "websocket");
    assert.equal(upgradeOf(get(...lines, "Content-Length: 1")), undefined);
    assert.equal(upgradeOf(get(...lines, "Transfer-Encoding: chunked")), undefined);
    assert.equal(upgradeOf(get("Upgrade: websocket")), undefined);
    assert.equal(upgradeOf(get("Connection: upgrade")), undefined);
    assert.equal(upgradeOf(get("Connection: upgrade", "Upgrade: h2c")), undefined);
    assert.equal(upgradeOf(get("Connection: upgrade", "Upgrade: websocket, h2c")), undefined);
    assert.equal(upgradeOf(get(...lines, "Upgrade: h2c")), undefined);
    assert.equal(upgradeOf(head("GET / HTTP/1.0", "Host: a", ...lines)), undefined);
    assert.equal(parse(get(...lines)).head.upgrade, undefined);
  });

  it("waits for 100 Continue only with a body and in HTTP/1.1", () => {
    const waits = (text: string): boolean => parse(text).expectsContinue;
    assert.equal(waits(post("Expect: 100-Continue", "Content-Length: 1")), true);
    assert.equal(waits(post("Expect: 100-continue", "Transfer-Encoding: chunked")), true);
    assert.equal(waits(post("Expect: 100-continue")), false);
    assert.equal(waits(post("Expect: x", "Content-Length: 1")), false);
    assert.equal(waits(head("POST / HTTP/1.0", "Expect: 100-continue", "Content-Length: 1")), false);
  });

  it("shares nothing that changes with an equal head", () => {
    const text = get("X: 1", "Connection: close");
    const first = parse(text);
    first.head.headers.set("x", "2");
    first.head.headers.remove("connection");
    first.head.headers.append("y", "3");
    const second = parse(text);
    assert.deepEqual(second.head.headers.flat(), ["host", "a", "x", "1", "connection", "close"]);
    assert.equal(second.keepAlive, false);
    assert.equal(first.head.headers.wireText(), "Host: a\r\nX: 2\r\ny: 3\r\n");
    assert.equal(second.head.headers.wireText(), "Host: a\r\nX: 1\r\nConnection: close\r\n");
  });

  it("takes time linear in its length, accepted or refused", () => {
    const long = "x".repeat(1_000_000);
    const startMs = performance.now();
    parse(get(`X: ${long}`));
    for (const text of [
      get(`X: ${long}\x01`),
      get(`${long}\x01: y`),
      get(...Array(50_000).fill("a: b"), "c"),
      `${long}\r\n\r\n`,
    ])
      assert.ok(parseRequestHead(text) instanceof MessageFault);
    assert.ok(performance.now() - startMs < 2_000);
  });
});
