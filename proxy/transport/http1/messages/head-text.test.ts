// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";

import { HeaderList } from "../../contract/header-list.ts";
import { UnsendableHead } from "../../contract/unsendable-head.ts";
import { CHUNKED, framingOfLength, NO_BODY, responseFraming, UNTIL_CLOSE } from "./framing.ts";
import { requestHeadText, responseHeadText } from "./head-text.ts";
import { MessageFault } from "./message-fault.ts";
import { parseRequestHead } from "./request-head.ts";
import { parseResponseHead } from "./response-head.ts";

const NONE = new HeaderList();

function headersOf(...raw: readonly string[]): HeaderList {
  return HeaderList.fromRaw(raw);
}

describe("the text of a request's head", () => {
  it("declares the framing and the connection", () => {
    const start = "POST /a HTTP/1.1\r\nX-A: 1\r\n";
    const text = (...rest: readonly unknown[]): string =>
      (requestHeadText as (...all: readonly unknown[]) => string)(
        "POST",
        "/a",
        headersOf("X-A", "1"),
        ...rest,
      );
    assert.equal(text(NO_BODY), `${start}\r\n`);
    assert.equal(text(framingOfLength(3)), `${start}content-length: 3\r\n\r\n`);
    assert.equal(text(CHUNKED), `${start}transfer-encoding: chunked\r\n\r\n`);
    assert.equal(text(NO_BODY, undefined, true), `${start}connection: close\r\n\r\n`);
    assert.equal(text(NO_BODY, "websocket"), `${start}upgrade: websocket\r\nconnection: upgrade\r\n\r\n`);
  });

  it("keeps a content-length that agrees, and throws for one that does not", () => {
    const text = (length: string, framing = framingOfLength(3)): string =>
      requestHeadText("PUT", "/", headersOf("Content-Length", length), framing);
    assert.equal(text("3"), "PUT / HTTP/1.1\r\nContent-Length: 3\r\n\r\n");
    assert.equal(text("0", NO_BODY), "PUT / HTTP/1.1\r\nContent-Length: 0\r\n\r\n");
    for (const [length, framing] of [
      ["4", framingOfLength(3)],
      ["x", framingOfLength(3)],
      ["3", NO_BODY],
      ["3", CHUNKED],
      ["3", UNTIL_CLOSE],
    ] as const) {
      assert.throws(() => text(length, framing), UnsendableHead, `${length} ${framing.kind}`);
    }
    const coded = headersOf("Transfer-Encoding", "chunked");
    assert.throws(() => requestHeadText("PUT", "/", coded, CHUNKED), UnsendableHead);
  });

  it("throws for parts that would split the message", () => {
    for (const bad of ["", "G T", "G\r\nX: y", "G:", "G\0", "\u{10d}"]) {
      assert.throws(() => requestHeadText(bad, "/", NONE, NO_BODY), UnsendableHead, JSON.stringify(bad));
    }
    for (const bad of ["", "/a b", "/\r\n", "/\n", "/\0", "/\x7f", "/\xe9", "/\u{10d}"]) {
      assert.throws(() => requestHeadText("GET", bad, NONE, NO_BODY), UnsendableHead, JSON.stringify(bad));
    }
    for (const bad of ["", "web socket", "a\r\nb: c"]) {
      assert.throws(() => requestHeadText("GET", "/", new HeaderList(), NO_BODY, bad), UnsendableHead);
    }
  });
});

describe("the text of a response's head", () => {
  it("declares the framing and the connection", () => {
    const start = "HTTP/1.1 200 OK\r\nX-A: 1\r\n";
    const headers = headersOf("X-A", "1");
    assert.equal(responseHeadText(200, headers, NO_BODY), `${start}\r\n`);
    assert.equal(responseHeadText(200, headers, UNTIL_CLOSE, "close"), `${start}connection: close\r\n\r\n`);
    assert.equal(responseHeadText(200, headers, CHUNKED), `${start}transfer-encoding: chunked\r\n\r\n`);
    assert.equal(
      responseHeadText(200, headers, framingOfLength(3), "keep-alive"),
      `${start}content-length: 3\r\nconnection: keep-alive\r\n\r\n`,
    );
    assert.equal(responseHeadText(103, NONE, NO_BODY), "HTTP/1.1 103 Early Hints\r\n\r\n");
    assert.equal(responseHeadText(599, NONE, NO_BODY), "HTTP/1.1 599 \r\n\r\n");
    // The length that GET would have.
    assert.match(
      responseHeadText(304, headersOf("Content-Length", "5"), NO_BODY),
      /\r\nContent-Length: 5\r\n/,
    );
  });

  it("is framed by its content-length, by chunks, or for HTTP/1.0 by the end", () => {
    assert.equal(responseFraming("GET", "1.1", 200, undefined), CHUNKED);
    assert.equal(responseFraming("GET", "1.0", 200, undefined), UNTIL_CLOSE);
    assert.deepEqual(responseFraming("GET", "1.0", 200, "5"), framingOfLength(5));
    assert.equal(responseFraming("GET", "1.1", 200, "0"), NO_BODY);
    for (const [method, status] of [
      ["HEAD", 200],
      ["GET", 101],
      ["GET", 103],
      ["GET", 204],
      ["GET", 304],
    ] as const) {
      assert.equal(responseFraming(method, "1.1", status, "5"), NO_BODY);
    }
  });

  it("throws for fields that would split the message", () => {
    for (const [name, value] of [
      ["x", "a\r\nb: c"],
      ["x", "a\nb"],
      ["x", "a\rb"],
      ["x", "a\0"],
      ["x", "a\x7f"],
      ["x", "\u{10d}"],
      ["x\r\ny", "a"],
      ["x y", "a"],
      ["x:", "a"],
      ["", "a"],
      ["\xe9", "a"],
    ] as const) {
      const added = new HeaderList();
      added.append(name, value);
      for (const headers of [added, headersOf(name, value)]) {
        assert.throws(
          () => responseHeadText(200, headers, NO_BODY),
          UnsendableHead,
          JSON.stringify([name, value]),
        );
      }
    }
  });
});

describe("writing a parsed head", () => {
  const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,16}$/);
  const blank = fc.stringMatching(/^[ \t]{0,3}$/);
  const value = fc.stringMatching(/^[!-~\x80-\xff](?:[\t -~\x80-\xff]{0,20}[!-~\x80-\xff])?$|^$/);
  const line = fc
    .tuple(token, blank, value, blank)
    .filter(([name]) => !/^(?:host|content-length|transfer-encoding)$/i.test(name));
  const lines = fc.array(line, { maxLength: 12 });
  const texts = (all: readonly (readonly string[])[]): string =>
    all.map(([name, before, text, after]) => `${name}:${before}${text}${after}\r\n`).join("");

  it("gives its bytes", () => {
    fc.assert(
      fc.property(token, fc.stringMatching(/^\/[!-~]{0,20}$/), lines, (method, target, all) => {
        fc.pre(method !== "CONNECT");
        const text = `${method} ${target} HTTP/1.1\r\nhOst: a\r\n${texts(all)}\r\n`;
        const parsed = parseRequestHead(text);
        assert.ok(!(parsed instanceof MessageFault));
        const { head, framing } = parsed;
        assert.equal(requestHeadText(head.method, head.target, head.headers, framing), text);
        assert.equal(head.headers.byteLength(), text.length - `${method} ${target} HTTP/1.1\r\n\r\n`.length);
      }),
    );
    fc.assert(
      fc.property(fc.constantFrom("200 OK", "404 Not Found", "204 No Content"), lines, (status, all) => {
        const text = `HTTP/1.1 ${status}\r\n${texts(all)}\r\n`;
        const parsed = parseResponseHead(text, "HEAD");
        assert.ok(!(parsed instanceof MessageFault));
        assert.equal(responseHeadText(parsed.head.status, parsed.head.headers, parsed.framing), text);
      }),
    );
  });

  it("gives the bytes of every field that was not changed, around those that were", () => {
    const names = fc.constantFrom("a", "b", "c", "cookie", "content-type");
    const edit = fc.tuple(
      fc.constantFrom("set", "append", "remove", "removeWhere"),
      names,
      fc.constantFrom("1", "2"),
    );
    const some = fc.array(
      fc.tuple(
        fc.constantFrom("a", "A", "b", "B", "c", "Cookie", "Content-Type"),
        blank,
        fc.constantFrom("", "1", "x y"),
        blank,
      ),
      { maxLength: 10 },
    );
    fc.assert(
      fc.property(some, fc.array(edit, { maxLength: 6 }), (all, edits) => {
        const parsed = parseResponseHead(`HTTP/1.1 200 OK\r\n${texts(all)}\r\n`, "GET");
        assert.ok(!(parsed instanceof MessageFault));
        const { headers } = parsed.head;
        // The model: one line a field, with its name and value.
        let model: { name: string; spelled: string; value: string; line: string }[] = all.map(
          ([name, before, text, after]) => ({
            name: name.toLowerCase(),
            spelled: name,
            value: text,
            line: `${name}:${before}${text}${after}\r\n`,
          }),
        );
        const added = (name: string, spelled: string, value: string): (typeof model)[number] => ({
          name,
          spelled,
          value,
          line: `${spelled}: ${value}\r\n`,
        });
        for (const [kind, name, text] of edits) {
          const first = model.findIndex((field) => field.name === name);
          if (kind === "removeWhere") headers.removeWhere((other) => other === name);
          else if (kind === "remove") headers.remove(name);
          else headers[kind as "set" | "append"](name, text);
          if (kind.startsWith("remove")) model = model.filter((field) => field.name !== name);
          else if (first < 0 || (kind === "append" && name !== "content-type"))
            model.push(added(name, name, text));
          else {
            const field = model[first] as (typeof model)[number];
            if (field.value !== text) model[first] = added(name, field.spelled, text);
            model = model.filter((other, index) => index <= first || other.name !== name);
          }
        }
        assert.equal(headers.wireText(), model.map((field) => field.line).join(""));
        assert.equal(headers.byteLength(), headers.wireText().length);
        assert.equal(headers.size, model.length);
        assert.deepEqual(
          headers.flat(),
          model.flatMap((field) => [field.name, field.value]),
        );
        assert.deepEqual(
          headers.wire(),
          model.flatMap((field) => [field.spelled, field.value]),
        );
      }),
      { numRuns: 500 },
    );
  });
});
