// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";

import { isHopByHopHeader } from "../../../core/attributes/header-fields.ts";
import { HeaderList } from "../contract/header-list.ts";
import { isRemovedAtEdge } from "./client-claims.ts";
import { removeHopByHop } from "./hop-by-hop.ts";
import {
  CLIENT_CLAIM,
  flagsOf,
  flagsOfAll,
  HOP_BY_HOP,
  HOST,
  MESH_CLAIM,
  SEVERAL_HOSTS,
  UNDERSCORE,
} from "./name-flags.ts";

const WORDS =
  "host connection keep-alive te x-forwarded-for x-forwarded-proto x-envoy-a x_purser_b upgrade via accept";
const name = fc.oneof(fc.constantFrom(...WORDS.split(" ")), fc.stringMatching(/^[a-z_-]{1,12}$/));

describe("the flags of field names", () => {
  it("say what the functions that they stand for say, also when they are cached", () => {
    fc.assert(
      fc.property(name, (one) => {
        for (let times = 0; times < 2; times++) {
          const flags = flagsOf(one);
          assert.equal((flags & HOP_BY_HOP) !== 0, isHopByHopHeader(one));
          assert.equal((flags & UNDERSCORE) !== 0, one.includes("_"));
          assert.equal((flags & CLIENT_CLAIM) !== 0, isRemovedAtEdge(one, 0));
          assert.equal((flags & MESH_CLAIM) !== 0, isRemovedAtEdge(one, 1));
          assert.equal(flags & SEVERAL_HOSTS, 0);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("are right for more names than the cache holds, and for very long ones", () => {
    for (let index = 0; index < 3_000; index++)
      assert.equal(flagsOf(`x-envoy-${index}`), MESH_CLAIM | CLIENT_CLAIM);
    assert.equal(flagsOf(`x-forwarded-${"a".repeat(9_000)}`), CLIENT_CLAIM);
  });

  it("of a message are those of its names, with repeated Host fields", () => {
    const all = fc.array(name, { maxLength: 8 });
    fc.assert(
      fc.property(all, (names) => {
        const flags = flagsOfAll(new HeaderList(names.flatMap((one) => [one, "1"])));
        const expected = names.reduce((sum, one) => sum | flagsOf(one), 0);
        const hosts = names.filter((one) => one === "host").length;
        assert.equal(flags, hosts > 1 ? expected | SEVERAL_HOSTS : expected);
        assert.equal((flags & HOST) !== 0, hosts > 0);
      }),
    );
  });
});

describe("facts that equal heads share", () => {
  it("are those of the list at hand, whatever was changed in it or in another list of the block", () => {
    const value = fc.constantFrom("1", "\u00e9", "text");
    const change = fc.record({
      name,
      value,
      kind: fc.constantFrom("set" as const, "append" as const, "remove" as const),
    });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(name, value), { maxLength: 5 }),
        fc.array(change, { maxLength: 4 }),
        (pairs, changes) => {
          const block = blockOf(pairs);
          const untouched = HeaderList.of(block);
          const headers = HeaderList.of(block);
          for (const { kind, name: one, value: text } of changes) {
            if (kind === "remove") headers.remove(one);
            else headers[kind](one, text);
            for (const list of [headers, untouched, HeaderList.of(block)]) {
              assert.equal(flagsOfAll(list), flagsOfAll(new HeaderList(list.flat().slice())));
              // A removed field may still count: the answer false is always right.
              if (list.isAscii()) assert.ok(list.flat().every((part) => /^[\0-\x7f]*$/.test(part)));
            }
          }
          assert.equal(
            untouched.isAscii(),
            pairs.every(([, text]) => text !== "\u00e9"),
          );
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

function blockOf(pairs: readonly (readonly [string, string])[]) {
  const text = pairs.map(([one, value]) => `${one}: ${value}\r\n`).join("");
  const spans: number[] = [];
  let at = 0;
  for (const [one, value] of pairs) {
    const end = at + one.length + value.length + 4;
    spans.push(at, end);
    at = end;
  }
  return { text, flat: pairs.flatMap(([one]) => [one, undefined]), spans };
}

describe("hop-by-hop fields", () => {
  it("are removed with those that connection names, except framing, authority and the proxy's own ids", () => {
    const value = fc.constantFrom(
      "keep-alive",
      "close",
      "Keep-Alive, X-A",
      " x-a ,host,content-length",
      "",
      "te",
    );
    fc.assert(
      fc.property(fc.array(name, { maxLength: 6 }), fc.option(value), (names, connection) => {
        const pairs = [...names, "x-a", "content-length"].map((one) => [one, "1"]);
        if (connection !== null) pairs.push(["connection", connection]);
        const headers = new HeaderList(pairs.flat());
        const tokens = pairs
          .filter(([one]) => one === "connection")
          .flatMap(([, text = ""]) => text.split(",").map((token) => token.trim().toLowerCase()));
        removeHopByHop(headers);
        const kept = pairs.filter(([one = ""]) => {
          return (
            !isHopByHopHeader(one) && (one === "host" || one === "content-length" || !tokens.includes(one))
          );
        });
        assert.deepEqual(headers.flat(), kept.flat());
      }),
      { numRuns: 1_000 },
    );
  });

  it("that connection names leave the ids that the proxy has written", () => {
    const own = ["x-request-id", "traceparent", "tracestate", "b3", "x-b3-traceid", "x-b3-sampled"];
    const headers = new HeaderList(["connection", `${own.join(", ")}, x-a`, "x-a", "1"]);
    for (const each of own) headers.append(each, "1");
    removeHopByHop(headers);
    assert.deepEqual(
      headers.flat().filter((_, index) => index % 2 === 0),
      own,
    );
  });
});
