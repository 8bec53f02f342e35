// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { checkedBuiltIn, compiled } from "../../../test/support/checked-expression.ts";
import { parseAuthority } from "../../../kernel/canonical/authority.ts";
import { Malformed } from "../../../kernel/canonical/malformed.ts";
import { canonicalMethod } from "../../../kernel/canonical/method.ts";
import { canonicalPath } from "../../../kernel/canonical/path.ts";
import { canonicalAddress } from "../../../kernel/matching/ip-address.ts";

/** A value that a request can have, with the name of its attribute. */
interface Sample {
  readonly name: string;
  readonly value: string;
}

const samplesOf = (name: string, raw: fc.Arbitrary<string>, canonical: (text: string) => unknown) =>
  raw
    .map(canonical)
    .filter((value): value is string => typeof value === "string" && value !== "")
    .map((value): Sample => ({ name, value }));

const pathText = fc
  .array(
    fc.constantFrom(
      "/",
      "a",
      "B",
      ".",
      "..",
      "%61",
      "%2f",
      "%C3",
      "\\",
      "*",
      ":id",
      "~",
      "-",
      ";",
      "é",
      " ",
      "^",
      "x1",
    ),
    {
      maxLength: 9,
    },
  )
  .map((parts) => `/${parts.join("")}`);
const path = (text: string) => canonicalPath(text, "MERGE_SLASHES");
const withQuery = (text: string) => {
  const target = path(text);
  return target instanceof Malformed ? target : `${target}?q=//a/../%61:b`;
};

const SAMPLES: fc.Arbitrary<Sample> = fc.oneof(
  samplesOf("request.method", fc.stringMatching(/^[A-Za-z0-9!|*^.-]{1,8}$/), canonicalMethod),
  samplesOf("request.url_path", pathText, path),
  samplesOf(
    "request.path",
    fc.oneof(pathText.map(path), pathText.map(withQuery)) as fc.Arbitrary<string>,
    (text) => text,
  ),
  samplesOf(
    "request.host",
    fc.oneof(
      fc.domain(),
      fc.ipV4(),
      fc.ipV6().map((text) => `[${text}]`),
      fc.constant("a_b.C."),
    ),
    (text) => {
      const authority = parseAuthority(text);
      return authority instanceof Malformed ? undefined : authority.host;
    },
  ),
  samplesOf("source.ip", fc.oneof(fc.ipV4(), fc.ipV6()), canonicalAddress),
  samplesOf(
    "request.time",
    fc
      .date({ noInvalidDate: true, min: new Date(0), max: new Date("2100-01-01") })
      .map((date) => date.toISOString()),
    (text) => text,
  ),
  samplesOf("request.scheme", fc.constantFrom("http", "https"), (text) => text),
  samplesOf("context.reporter.kind", fc.constantFrom("inbound", "outbound"), (text) => text),
  samplesOf("request.trace_id", fc.stringMatching(/^[0-9a-f]{32}$/), (text) => text),
  samplesOf("source.principal", fc.constantFrom("cluster.local/ns/a/sa/B", "b"), (text) => text),
);

/** Expressions that test a part of a value, or the value without regard to case. */
const TESTS: readonly ((subject: string, part: string, whole: string) => string)[] = [
  (subject, part) => `${subject} = ${JSON.stringify(part)}`,
  (subject, _, whole) => `${subject} = ${JSON.stringify(whole)}`,
  (subject, _, whole) => `${subject} in [${JSON.stringify(whole)}]`,
  (subject, part) => `$contains(${subject}, ${JSON.stringify(part)})`,
  (subject, part) => `$startsWith(${subject}, ${JSON.stringify(part)})`,
  (subject, part) => `$endsWith(${subject}, ${JSON.stringify(part)})`,
  (subject, part) => `$contains(${subject}, /${pattern(part)}/)`,
  (subject, part) => `$contains(${subject}, /^${pattern(part)}/)`,
  (subject, part) => `$contains(${subject}, /${pattern(part)}$/i)`,
  (subject, part) => `$contains(${subject}, /^(?:${pattern(part)}|x+y)*.?$/)`,
  (subject, part) => `$glob(${subject}, ${JSON.stringify(`**${part.replace(/[*?[\]{}\\]/g, "?")}**`)})`,
  (subject, part) => `$glob(${subject}, ${JSON.stringify(`${part.replace(/[*?[\]{}\\]/g, "?")}**`)})`,
  (subject, part) => `$lowercase(${subject}) = ${JSON.stringify(part)}`,
  (subject, part) => `$contains($lowercase(${subject}), ${JSON.stringify(part.toLowerCase())})`,
  (subject, _, whole) => `$uppercase(${subject}) = ${JSON.stringify(whole.toUpperCase())}`,
  (subject, part) =>
    `${JSON.stringify(part)} in $split(${subject}, "/") or $split(${subject}, "/")[1] = ${JSON.stringify(part)}`,
  (subject, part) => `$split(${subject}, ".")[0] = ${JSON.stringify(part)}`,
  (subject, part) => `$substringBefore(${subject}, "?") = ${JSON.stringify(part)}`,
  (subject, part) => `$substringAfter(${subject}, "/") = ${JSON.stringify(part)}`,
  (subject, part) => `$substring(${subject}, 0, 3) = ${JSON.stringify(part)}`,
  (subject, part) => `$substring(${subject}, 2) = ${JSON.stringify(part)}`,
  (subject, part) => `$trim(${subject}) = ${JSON.stringify(part)}`,
];

function pattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

/** Whether a message warns of a text that looks like a pattern, or like several methods: so it may, even of a legal value. */
function isByLook(message: string): boolean {
  return /regular expression|wildcards are for|"\w{3,}\|\w{3,}.* lists several/.test(message);
}

describe("what an attribute can never be", () => {
  it("is never said of what some request has", function () {
    this.timeout(60_000);
    let trueTests = 0;
    const cut = fc.tuple(fc.nat(40), fc.nat(40));
    fc.assert(
      fc.property(SAMPLES, fc.constantFrom(...TESTS), cut, ({ name, value }, write, [from, length]) => {
        const start = from % value.length;
        const source = write(name, value.slice(start, start + 1 + length), value);
        const bag = name.split(".").reduceRight<unknown>((inner, step) => ({ [step]: inner }), value);
        const result = compiled(source).evaluate(bag as never, { nowMs: 0 });
        if (result !== true) return;
        trueTests++;
        const findings = checkedBuiltIn(source, "any").filter(
          ({ code, message }) => code === "PURSER_EXPR_IMPOSSIBLE" && !isByLook(message),
        );
        assert.deepEqual(findings, [], `${name} can be ${JSON.stringify(value)}: ${source}`);
      }),
      { numRuns: 3_000 },
    );
    assert.ok(trueTests > 600, `${trueTests} tests were true`);
  });

  it("is said of every value in another form", () => {
    const spoil: readonly (readonly [name: string, raw: fc.Arbitrary<string>])[] = [
      ["request.method", fc.stringMatching(/^[A-Z]{0,4}[a-z][A-Z]{0,4}$/)],
      ["request.scheme", fc.constantFrom("HTTP", "Https", "ws", "https:")],
      ["request.host", fc.domain().map((host) => `${host}:80`)],
      ["request.host", fc.domain().map((host) => `https://${host}`)],
      ["request.host", fc.domain().map((host) => `${host}.`)],
      ["request.host", fc.domain().map((host) => `X${host}`)],
      ["request.url_path", pathText.map((text) => `/${text}`)],
      ["request.url_path", pathText.map((text) => `${text}/../x`)],
      ["request.url_path", pathText.map((text) => `${text}?a=1`)],
      [
        "request.url_path",
        pathText.map((text) => text.slice(1)).filter((text) => !/^[/*\\]?$|^\//.test(text)),
      ],
      ["source.ip", fc.ipV4().map((address) => `${address}/24`)],
      ["source.ip", fc.ipV4().map((address) => `::ffff:${address}`)],
      ["source.ip", fc.ipV4().map((address) => `${address}:80`)],
      ["request.time", fc.constantFrom("09:00", "2026-01-01", "1.1.2026", "yesterday")],
    ];
    for (const [name, raw] of spoil) {
      fc.assert(
        fc.property(raw, (text) => {
          const codes = checkedBuiltIn(`${name} = ${JSON.stringify(text)}`, "any").map(({ code }) => code);
          assert.deepEqual(codes, ["PURSER_EXPR_IMPOSSIBLE"], `${name}: ${text}`);
        }),
        { numRuns: 200 },
      );
    }
  });
});
