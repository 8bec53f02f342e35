// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { authorityText, parseAuthority } from "./authority.ts";
import { Malformed } from "./malformed.ts";
import { canonicalQuery, parseQuery } from "./query.ts";
import { AuthorityCache } from "./authority-cache.ts";
import { PATH_NORMALIZATIONS } from "./path.ts";
import { isCanonicalTarget, parseRequestTarget } from "./target.ts";

describe("request targets", () => {
  const parse = (target: string) => parseRequestTarget(target, "MERGE_SLASHES");
  const a = { host: "a", port: undefined };

  it("have their path normalized, and their query unchanged", () => {
    assert.deepEqual(parse("/a/../%62?/../%62"), { path: "/b", query: "?/../%62", authority: undefined });
    assert.deepEqual(parse("http://a/./b"), { path: "/b", query: "", authority: a });
    assert.deepEqual(parse("//a/b"), { path: "/a/b", query: "", authority: undefined });
  });

  it("have an authority in absolute form", () => {
    assert.deepEqual(parse("http://A.:81/b?c"), {
      path: "/b",
      query: "?c",
      authority: { host: "a", port: 81 },
    });
    assert.deepEqual(parse("HTTP://a"), { path: "/", query: "", authority: a });
    assert.deepEqual(parse("http://a?c"), { path: "/", query: "?c", authority: a });
    assert.deepEqual(parse("http://a\\..\\b"), { path: "/b", query: "", authority: a });
    for (const bad of ["http:///b", "http://u@a/", "ftp://a/", "a:80", "*", "", "/a#b", "http://a:0/", "/%"])
      assert.ok(parse(bad) instanceof Malformed, bad);
  });
});

describe("request targets in absolute form", () => {
  it("have the scheme of the connection, or http", () => {
    const target = { path: "/b", query: "", authority: { host: "a", port: undefined } };
    assert.deepEqual(parseRequestTarget("HTTPS://A/b", "BASE", "https"), target);
    assert.deepEqual(parseRequestTarget("http://a/b", "BASE", "http"), target);
    assert.deepEqual(parseRequestTarget("http://a/b", "BASE", "https"), target);
    assert.ok(parseRequestTarget("https://a/b", "BASE", "http") instanceof Malformed);
    assert.ok(parseRequestTarget("ftp://a/b", "BASE", "https") instanceof Malformed);
  });
});

describe("the fast path of request targets", () => {
  it("accepts only targets that the slow path returns unchanged", () => {
    const piece = fc.constantFrom(
      "/",
      "a",
      ".",
      "..",
      "%",
      "%41",
      ";",
      "?",
      "#",
      "é",
      "\u00c3\u00a9",
      "Ł",
      "\\",
      "\0",
      "=&",
    );
    let accepted = 0;
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 8 }),
        fc.constantFrom(...PATH_NORMALIZATIONS),
        (pieces, how) => {
          const target = `/${pieces.join("")}`;
          const mark = target.indexOf("?");
          const path = mark < 0 ? target : target.slice(0, mark);
          const query = mark < 0 ? "" : target.slice(mark);
          if (!isCanonicalTarget(path, query)) return;
          accepted++;
          assert.deepEqual(parseRequestTarget(target, how), { path, query, authority: undefined });
        },
      ),
      { numRuns: 5_000 },
    );
    assert.ok(accepted > 100);
    assert.ok(isCanonicalTarget("/api/v1/things", "?id=4%20&x[]=y/z?"));
  });
});

describe("a cache of authorities", () => {
  it("gives what parsing gives, whatever is asked before", () => {
    const cache = new AuthorityCache();
    const text = fc.oneof(
      fc.constantFrom("A.b:80", "a.b", "", "[::1]:1", "1.2.3", "a b"),
      fc.string({ maxLength: 4 }),
    );
    fc.assert(
      fc.property(text, (one) => {
        for (let times = 0; times < 2; times++) {
          const known = cache.of(one);
          const parsed = parseAuthority(one);
          if (parsed instanceof Malformed) assert.deepEqual(known, parsed);
          else assert.deepEqual(known, { authority: parsed, text: authorityText(parsed) });
        }
      }),
      { numRuns: 3_000 },
    );
  });

  it("is bounded, and right beyond its bounds", () => {
    const cache = new AuthorityCache();
    for (let index = 0; index < 5_000; index++)
      assert.deepEqual(cache.of(`H${index}`), {
        authority: { host: `h${index}`, port: undefined },
        text: `h${index}`,
      });
    assert.ok(cache.of("a".repeat(300)) instanceof Malformed);
  });
});

describe("the canonical form of an authority", () => {
  it("is the same for every spelling of a host", () => {
    for (const text of ["admin.example.com", "Admin.Example.COM", "admin.example.com.", "admin.example.com:"])
      assert.deepEqual(parseAuthority(text), { host: "admin.example.com", port: undefined }, text);
    assert.deepEqual(parseAuthority("ADMIN.example.com.:0080"), { host: "admin.example.com", port: 80 });
    for (const text of ["[::1]:8080", "[0:0:0:0:0:0:0:1]:8080"])
      assert.deepEqual(parseAuthority(text), { host: "[::1]", port: 8080 });
    assert.deepEqual(parseAuthority("[::ffff:10.0.0.1]"), { host: "10.0.0.1", port: undefined });
    assert.deepEqual(parseAuthority(""), { host: "", port: undefined });
  });

  it("is Malformed unless the text is a host with an optional port", () => {
    for (const bad of [
      "a b",
      "a/b",
      "a@b",
      "a,b",
      "a:b",
      "::1",
      "a".repeat(300),
      "a..b",
      ".a",
      "a..",
      ".",
      "%61",
      "a:99999",
      "a:0",
      "a:-1",
      "[::1",
      "[1.2.3.4]",
      "[fe80::1%25eth0]",
      "127.1",
      "0177.0.0.1",
      "0x7f.1",
      "1.2.3.4.5",
      "2130706433",
      "a:80:80",
      "é",
    ])
      assert.ok(parseAuthority(bad) instanceof Malformed, bad);
  });

  it("is idempotent", () => {
    const piece = fc.constantFrom(
      "a",
      "B",
      ".",
      "-",
      "_",
      "1",
      "::",
      "[",
      "]",
      ":",
      "80",
      "%",
      "ffff",
      "10.0.0.1",
      "0x1",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const once = parseAuthority(pieces.join(""));
        if (once instanceof Malformed) return;
        assert.deepEqual(parseAuthority(authorityText(once)), once);
        assert.doesNotMatch(once.host, /[A-Z]|\.$/);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("queries", () => {
  it("are decoded, with the first value and all values of each parameter", () => {
    const { first, repeated } = parseQuery("?a=1&a=2&b=%20+&c&&%C5%81=%c5%82&d=%E9&e=%zz&a=");
    assert.deepEqual({ ...first }, { a: "1", b: "  ", c: "", Ł: "ł", d: "é", e: "%zz" });
    assert.deepEqual({ ...repeated }, { a: ["1", "2", ""] });
    assert.equal(parseQuery("?__proto__=x").first["__proto__"], "x");
    assert.deepEqual({ ...parseQuery("").first }, {});
    assert.equal(parseQuery("?a=1").repeated, undefined);
  });

  it("are read as the platform's URLSearchParams reads them", () => {
    const piece = fc.constantFrom("a", "b", "=", "&", "+", "%20", "%C3%A9", "%2", "%", "é", "?");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const query = `?${canonicalQuery(pieces.join("").replaceAll("é", "\u00c3\u00a9"))}`;
        const expected: Record<string, string> = {};
        for (const [name, value] of new URLSearchParams(query)) expected[name] ??= value;
        // Unlike URLSearchParams, parseQuery reads bytes that are not UTF-8 as Latin-1.
        if (JSON.stringify(expected).includes("\uFFFD")) return;
        assert.deepEqual({ ...parseQuery(query).first }, expected);
      }),
      { numRuns: 1_000 },
    );
  });
});
