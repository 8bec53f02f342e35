// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { HeaderList } from "../transport/contract/header-list.ts";
import { formatTraceparent, parseB3, parseTraceparent, type TraceParent, writeB3 } from "./trace-headers.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";

const hex = (digits: number) =>
  fc
    .array(fc.constantFrom(...Array.from("0123456789abcdef")), { minLength: digits, maxLength: digits })
    .map((list) => list.join(""))
    .filter((text) => !/^0+$/.test(text));
const flags = fc.integer({ min: 0, max: 255 }).map((value) => value.toString(16).padStart(2, "0"));

const listOf = (fields: Readonly<Record<string, string>>): HeaderList =>
  HeaderList.fromRaw(Object.entries(fields).flat());

describe("traceparent", () => {
  it("is read as it is written", () => {
    fc.assert(
      fc.property(hex(32), hex(16), fc.boolean(), fc.boolean(), (traceId, spanId, sampled, random) => {
        const parsed = parseTraceparent(formatTraceparent(traceId, spanId, { sampled, random }));
        assert.deepEqual(parsed, { traceId, spanId, sampled, random, debug: false });
      }),
    );
  });

  it("of a later version may have more fields, and its random flag is not known", () => {
    const later = fc.integer({ min: 1, max: 254 }).map((value) => value.toString(16).padStart(2, "0"));
    const rest = fc.option(fc.stringMatching(/^-[ -~]*$/), { nil: "" });
    fc.assert(
      fc.property(later, hex(32), hex(16), flags, rest, (version, traceId, spanId, flag, more) => {
        const parsed = parseTraceparent(`${version}-${traceId}-${spanId}-${flag}${more}`);
        const sampled = (Number.parseInt(flag, 16) & 1) === 1;
        assert.deepEqual(parsed, { traceId, spanId, sampled, random: false, debug: false });
      }),
    );
  });

  for (const text of [
    "",
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE}-${SPAN}-01-`,
    `01-${TRACE}-${SPAN}-01.more`,
    `00-${"0".repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${"0".repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-1`,
    `00-${TRACE}-${SPAN}`,
    `0x-${TRACE}-${SPAN}-01`,
    `00_${TRACE}_${SPAN}_01`,
    `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01\n`,
  ])
    it(`is refused: ${JSON.stringify(text)}`, () => assert.equal(parseTraceparent(text), undefined));

  it("of any text is a valid span or none", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9a-f-]{50,60}$/)), (text) => {
        const parsed = parseTraceparent(text);
        if (parsed !== undefined)
          assert.match(`${parsed.traceId} ${parsed.spanId}`, /^[0-9a-f]{32} [0-9a-f]{16}$/);
      }),
    );
  });
});

describe("B3", () => {
  it("is read as it is written, in both forms", () => {
    const parentId = fc.option(hex(16), { nil: undefined });
    const form = fc.constantFrom("SINGLE_HEADER" as const, "MULTI_HEADER" as const);
    fc.assert(
      fc.property(
        hex(32),
        hex(16),
        parentId,
        fc.boolean(),
        fc.boolean(),
        form,
        (traceId, spanId, parentSpanId, on, debug, as) => {
          const sampled = on || debug;
          // The headers that came must not remain beside those that are written.
          const headers = listOf({
            b3: "0",
            "x-b3-traceid": "1",
            "x-b3-flags": "1",
            "x-b3-parentspanid": "2",
          });
          writeB3(headers, as, { traceId, spanId, parentSpanId, sampled, debug });
          assert.deepEqual(parseB3(headers), { traceId, spanId, sampled, random: false, debug });
          assert.equal(headers.has("b3"), as === "SINGLE_HEADER");
          assert.equal(headers.has("x-b3-traceid"), as === "MULTI_HEADER");
          const written = headers.get("x-b3-parentspanid") ?? headers.get("b3")?.split("-")[3];
          assert.equal(written, parentSpanId);
        },
      ),
    );
  });

  it("of any text is a valid span, a decision or none", () => {
    const part = fc.oneof(hex(16), hex(32), fc.constantFrom("0", "1", "d", "true", ""), fc.string());
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
        const parsed = parseB3({ get: (name) => (name === "b3" ? parts.join("-") : undefined) });
        if (parsed !== undefined && "traceId" in parsed)
          assert.match(`${parsed.traceId} ${parsed.spanId}`, /^[0-9a-f]{32} [0-9a-f]{16}$/);
      }),
    );
  });

  const parent = (changes: Partial<TraceParent> = {}) => ({
    traceId: TRACE,
    spanId: SPAN,
    sampled: undefined,
    random: false,
    debug: false,
    ...changes,
  });
  const single: readonly (readonly [string, unknown])[] = [
    [`${TRACE}-${SPAN}`, parent()],
    [`${TRACE}-${SPAN}-0`, parent({ sampled: false })],
    [`${TRACE}-${SPAN}-d`, parent({ sampled: true, debug: true })],
    [`${TRACE}-${SPAN}-1-05e3ac9a4f6e3b90`, parent({ sampled: true })],
    [
      `${TRACE.slice(16)}-${SPAN}-1`,
      parent({ traceId: `${"0".repeat(16)}${TRACE.slice(16)}`, sampled: true }),
    ],
    ["0", { sampled: false, debug: false }],
    ["d", { sampled: true, debug: true }],
    ["", undefined],
    ["2", undefined],
    [`${TRACE}-${SPAN}-2`, undefined],
    [`${TRACE}-${SPAN}-1-short`, undefined],
    [`${TRACE}-${SPAN}-1-05e3ac9a4f6e3b90-more`, undefined],
    [`${"0".repeat(32)}-${SPAN}-1`, undefined],
    [`${TRACE}-${"0".repeat(16)}-1`, undefined],
    [`${TRACE.slice(1)}-${SPAN}-1`, undefined],
  ];
  for (const [text, expected] of single)
    it(`b3: ${text}`, () => assert.deepEqual(parseB3(listOf({ b3: text })), expected));

  it("x-b3-*", () => {
    const ids = { "X-B3-TraceId": TRACE, "X-B3-SpanId": SPAN };
    assert.deepEqual(parseB3(listOf(ids)), parent());
    assert.deepEqual(parseB3(listOf({ ...ids, "x-b3-sampled": "false" })), parent({ sampled: false }));
    assert.deepEqual(
      parseB3(listOf({ ...ids, "x-b3-sampled": "0", "x-b3-flags": "1" })),
      parent({ sampled: true, debug: true }),
    );
    assert.deepEqual(parseB3(listOf({ "x-b3-sampled": "0" })), { sampled: false, debug: false });
    assert.equal(parseB3(listOf({ "x-b3-traceid": TRACE, "x-b3-sampled": "1" })), undefined);
    assert.equal(parseB3(listOf({})), undefined);
  });
});
