// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { ExposedFamily } from "./family.ts";
import { pageOf } from "./page.ts";

type Field = bigint | number | Uint8Array;
type Message = ReadonlyMap<number, readonly Field[]>;

/** Reads the fields of a message by protobuf's wire format, without knowing the message. */
function fieldsOf(bytes: Uint8Array): Message {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fields = new Map<number, Field[]>();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = view.getUint8(at++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    let value: Field;
    if ((tag & 7) === 0) value = varint();
    else if ((tag & 7) === 1) {
      value = view.getFloat64(at, true);
      at += 8;
    } else {
      assert.equal(tag & 7, 2, "a wire type that the format does not use");
      const length = Number(varint());
      value = bytes.subarray(at, at + length);
      assert.equal(value.length, length, "a field goes beyond its message");
      at += length;
    }
    fields.set(tag >> 3, [...(fields.get(tag >> 3) ?? []), value]);
  }
  return fields;
}

/** The messages of a page, each after its length. */
function messagesOf(families: readonly ExposedFamily[]): readonly Message[] {
  const parts = [...pageOf(families, "protobuf")].filter((part) => part !== undefined) as Uint8Array[];
  const page = Buffer.concat(parts);
  const messages: Message[] = [];
  for (let at = 0; at < page.length; ) {
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = page[at++] as number;
      length += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    messages.push(fieldsOf(page.subarray(at, at + length)));
    at += length;
  }
  return messages;
}

const text = (field: Field | undefined): string => new TextDecoder().decode(field as Uint8Array);
const inside = (message: Message, field: number, index = 0): Message =>
  fieldsOf(message.get(field)?.[index] as Uint8Array);
const signed = (field: Field): number => Number(((field as bigint) >> 1n) ^ -((field as bigint) & 1n));

const CREATED_MS = 1_790_000_000_250;

describe("a page of metrics in protobuf", () => {
  it("has a message for each family with series, by the field numbers of metrics.proto", () => {
    const counter: ExposedFamily = {
      name: "requests_total",
      type: "counter",
      help: "Anfragen – alle",
      series: [
        {
          labelNames: ["code"],
          labels: ["200"],
          value: 7.5,
          createdMs: CREATED_MS,
          exemplar: { labelNames: ["trace_id"], labels: ["ab"], value: 1, timestampMs: CREATED_MS },
        },
        { labelNames: ["code"], labels: [""], value: 2, timestampMs: 5 },
      ],
    };
    const gauge: ExposedFamily = {
      name: "g",
      type: "gauge",
      series: [{ labelNames: [], labels: [], value: -1 }],
    };
    const untyped: ExposedFamily = {
      name: "u",
      type: "untyped",
      series: [{ labelNames: [], labels: [], value: 3 }],
    };
    const none: ExposedFamily = { name: "none", type: "gauge", series: [] };
    const [first, second, third, ...more] = messagesOf([counter, none, gauge, untyped]) as Message[];
    assert.deepEqual(more, []);
    const family = first as Message;
    assert.deepEqual(
      [text(family.get(1)?.[0]), text(family.get(2)?.[0])],
      ["requests_total", "Anfragen – alle"],
    );
    assert.equal(family.get(4)?.length, 2);
    const metric = inside(family, 4);
    const pair = inside(metric, 1);
    assert.deepEqual([text(pair.get(1)?.[0]), text(pair.get(2)?.[0])], ["code", "200"]);
    const value = inside(metric, 3);
    assert.equal(value.get(1)?.[0], 7.5);
    assert.equal(text(inside(inside(value, 2), 1).get(2)?.[0]), "ab");
    assert.deepEqual(
      [inside(value, 3).get(1)?.[0], inside(value, 3).get(2)?.[0]],
      [1_790_000_000n, 250_000_000n],
    );
    assert.equal(inside(family, 4, 1).get(6)?.[0], 5n);
    assert.equal(inside(inside(second as Message, 4), 2).get(1)?.[0], -1);
    assert.equal(inside(inside(third as Message, 4), 5).get(1)?.[0], 3);
  });

  it("has classic buckets with cumulative counts, native ones with spans and deltas, and summaries", () => {
    const histogram: ExposedFamily = {
      name: "h",
      type: "histogram",
      series: [
        {
          labelNames: [],
          labels: [],
          histogram: {
            bounds: [1, Number.POSITIVE_INFINITY],
            counts: [2, 3],
            sum: 9,
            count: 5,
            native: () => ({
              schema: -1,
              zeroThreshold: 1e-9,
              zeroCount: 1,
              positive: { spans: [-2, 2], deltas: [3, -1] },
              negative: { spans: [], deltas: [] },
            }),
          },
        },
      ],
    };
    const summary: ExposedFamily = {
      name: "s",
      type: "summary",
      series: [
        {
          labelNames: [],
          labels: [],
          summary: { count: 4, sum: 8, quantiles: [{ quantile: 0.5, value: 2 }] },
        },
      ],
    };
    const [first, second] = messagesOf([histogram, summary]) as [Message, Message];
    const classic = inside(inside(first, 4), 7);
    assert.deepEqual([classic.get(1)?.[0], classic.get(2)?.[0]], [5n, 9]);
    assert.deepEqual(
      [0, 1].map((index) => [inside(classic, 3, index).get(1)?.[0], inside(classic, 3, index).get(2)?.[0]]),
      [
        [2n, 1],
        [5n, Number.POSITIVE_INFINITY],
      ],
    );
    assert.equal(signed(classic.get(5)?.[0] as Field), -1);
    assert.deepEqual([classic.get(6)?.[0], classic.get(7)?.[0]], [1e-9, 1n]);
    const span = inside(classic, 12);
    assert.deepEqual([signed(span.get(1)?.[0] as Field), span.get(2)?.[0]], [-2, 2n]);
    assert.deepEqual(classic.get(13)?.map(signed), [3, -1]);
    const values = inside(inside(second, 4), 4);
    assert.deepEqual([values.get(1)?.[0], values.get(2)?.[0]], [4n, 8]);
    assert.deepEqual([inside(values, 3).get(1)?.[0], inside(values, 3).get(2)?.[0]], [0.5, 2]);
  });

  it("is written in parts, in text too, and the parts of many series are one message", () => {
    const family: ExposedFamily = {
      name: "many",
      type: "gauge",
      series: Array.from({ length: 5_000 }, (_, n) => ({ labelNames: ["n"], labels: [`é${n}`], value: n })),
    };
    const [message] = messagesOf([family]) as [Message];
    assert.equal(message.get(4)?.length, 5_000);
    assert.equal(inside(inside(message, 4, 4_999), 2).get(1)?.[0], 4_999);
    for (const format of ["text", "openmetrics"] as const) {
      const parts = [...pageOf([family], format)];
      assert.ok(parts.length > 5);
      assert.equal(parts.join("").match(/^many\{n="é\d+"\} /gm)?.length, 5_000);
    }
  });
});
