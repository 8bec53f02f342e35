// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeStatus } from "../../adapters/opentelemetry/rpc-status.ts";
import { charge, outcome } from "../../test/support/quota-charges.ts";
import { decision } from "../../test/support/decisions.ts";
import { grpcStatusOf } from "./grpc-status.ts";
import { grpcMessageText, grpcStatusBytes, MAX_GRPC_MESSAGE_LENGTH } from "./grpc-status-details.ts";
import { verdictOf } from "./verdict-of.ts";

/** The fields of a message by protobuf's wire format alone: numbers, and bytes with the field's number. */
function fieldsOf(bytes: Uint8Array): (readonly [field: number, value: number | Uint8Array])[] {
  const fields: (readonly [number, number | Uint8Array])[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes[at++] as number;
      value += (byte & 0x7f) * shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    if (tag % 8 === 0) fields.push([tag >> 3, varint()]);
    else {
      assert.equal(tag % 8, 2);
      const length = varint();
      assert.ok(at + length <= bytes.length);
      fields.push([tag >> 3, bytes.subarray(at, (at += length))]);
    }
  }
  return fields;
}

const text = (bytes: number | Uint8Array | undefined): string =>
  new TextDecoder().decode(bytes as Uint8Array);

describe("the status of a refusal in protocol buffers", () => {
  const verdict = verdictOf(decision({ charges: [charge("daily", { message: "zu viel: é" })] }), [
    outcome("daily", { granted: 0, retryAfterMs: 61_250 }),
  ]);
  const bytes = grpcStatusBytes(grpcStatusOf(verdict));

  it("is read by the decoder of google.rpc.Status", () => {
    assert.deepEqual(decodeStatus(bytes), { message: "zu viel: é", retryDelayMs: 61_250 });
  });

  it("has ErrorInfo, RetryInfo and QuotaFailure with the fields of google/rpc", () => {
    const [code, message, ...details] = fieldsOf(bytes);
    assert.deepEqual(code, [1, 8]);
    assert.equal(text(message?.[1]), "zu viel: é");
    const [info, retry, failure] = details.map(([field, any]) => {
      assert.equal(field, 3);
      const [type, value] = fieldsOf(any as Uint8Array);
      return [text(type?.[1]), value?.[1] as Uint8Array] as const;
    });
    assert.equal(info?.[0], "type.googleapis.com/google.rpc.ErrorInfo");
    const [reason, domain, metadata] = fieldsOf(info[1]);
    assert.deepEqual([text(reason?.[1]), text(domain?.[1])], ["QUOTA_EXCEEDED", "purser.dev"]);
    assert.deepEqual(
      fieldsOf(metadata?.[1] as Uint8Array).map(([, value]) => text(value)),
      ["policy", "QuotaPolicy/daily"],
    );
    assert.equal(retry?.[0], "type.googleapis.com/google.rpc.RetryInfo");
    assert.deepEqual(fieldsOf(fieldsOf(retry[1])[0]?.[1] as Uint8Array), [
      [1, 61],
      [2, 250_000_000],
    ]);
    assert.equal(failure?.[0], "type.googleapis.com/google.rpc.QuotaFailure");
    const [violation] = fieldsOf(failure[1]);
    assert.deepEqual(
      fieldsOf(violation?.[1] as Uint8Array).map(([field, value]) => [field, text(value)]),
      [
        [1, "QuotaPolicy/daily"],
        [2, "zu viel: é"],
      ],
    );
  });

  it("fits into a client's metadata, however long the message is", () => {
    const long = "\u{1f600}".repeat(100_000);
    const details = grpcStatusOf(
      verdictOf(decision({ charges: [charge("daily", { message: long })] }), [
        outcome("daily", { granted: 0, retryAfterMs: 1 }),
      ]),
    );
    assert.ok(grpcStatusBytes(details).length < 4_096);
    assert.ok(grpcMessageText(long).length < 4_096);
  });
});

describe("the text of grpc-message", () => {
  it("percent-encodes UTF-8, % and control characters", () => {
    assert.equal(grpcMessageText("a b~"), "a b~");
    assert.equal(grpcMessageText("100%\r\n"), "100%25%0D%0A");
    assert.equal(grpcMessageText("é\u{1f600}"), "%C3%A9%F0%9F%98%80");
    assert.equal(grpcMessageText("\ud800"), "%EF%BF%BD");
    assert.equal(grpcMessageText("x".repeat(MAX_GRPC_MESSAGE_LENGTH - 1) + "\u{1f600}").length, 511);
  });

  it("is decoded to the message, for any message", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 20 }), (message) => {
        const encoded = grpcMessageText(message);
        assert.match(encoded, /^[\x20-\x7e]*$/);
        assert.equal(decodeURIComponent(encoded), message.replace(/\p{Surrogate}/gu, "\ufffd"));
      }),
    );
  });
});
