// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { createTestContext } from "../../plugins/sdk/testing/index.ts";
import { attributesOf } from "./attributes.ts";
import { type Config, faultsOf, urlOf } from "./config.ts";
import { isSpanId, isTraceId } from "./ids.ts";
import { opentelemetry } from "./index.ts";
import { decodeStatus } from "./rpc-status.ts";
import { hrTimeOf } from "./time.ts";

const configOf = (config: Readonly<Record<string, unknown>>): Config =>
  createTestContext(opentelemetry, config).config;

describe("the shapes of the adapter opentelemetry", () => {
  it("has attributes for any values, in which JSON loses nothing", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.anything({ withBigInt: true, withDate: true })), (values) => {
        const attributes = attributesOf(values);
        assert.deepEqual(JSON.parse(JSON.stringify(attributes)), attributes);
      }),
    );
  });

  it("represents unusual values as text, and leaves absent ones out", () => {
    const circle: Record<string, unknown> = { when: new Date(0) };
    circle["self"] = circle;
    const values = { a: undefined, b: null, c: () => 1, d: 2n, e: circle, f: -0.5, "": 1, g: 2 ** 53 };
    assert.deepEqual(attributesOf(values), {
      d: "2",
      e: { when: "1970-01-01T00:00:00.000Z", self: "[circular]" },
      f: -0.5,
      g: "9007199254740992",
    });
    assert.equal((attributesOf({ long: "x".repeat(9000) })["long"] as string).length, 8192);
  });

  it("keeps the microseconds of times, and has none for impossible ones", () => {
    assert.deepEqual(hrTimeOf(1_790_000_000_123.456), [1_790_000_000, 123_456_000]);
    assert.deepEqual(hrTimeOf(999.9999), [1, 0]);
    for (const time of [Number.NaN, -1, Number.POSITIVE_INFINITY, 1e300])
      assert.deepEqual(hrTimeOf(time), [0, 0]);
  });

  it("knows ids of W3C Trace Context", () => {
    assert.ok(isTraceId("0af7651916cd43dd8448eb211c80319c"));
    for (const id of [
      "",
      "0".repeat(32),
      "0AF7651916CD43DD8448EB211C80319C",
      "0af7",
      `${"a".repeat(32)}\n`,
      7,
    ])
      assert.ok(!isTraceId(id), String(id));
    assert.ok(isSpanId("b7ad6b7169203331"));
    assert.ok(!isSpanId("0".repeat(16)));
  });

  it("reads any bytes as a status or as none", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => void decodeStatus(bytes)));
    assert.deepEqual(decodeStatus(new Uint8Array()), { message: "", retryDelayMs: undefined });
    assert.equal(decodeStatus(Uint8Array.of(0x12, 0xff)), undefined);
  });

  it("appends the standard paths to the endpoint", () => {
    assert.equal(urlOf(configOf({}), "logs"), "http://127.0.0.1:4318/v1/logs");
    assert.equal(urlOf(configOf({ endpoint: "https://otel/a/" }), "traces"), "https://otel/a/v1/traces");
    assert.equal(urlOf(configOf({ protocol: "grpc" }), "metrics"), "http://127.0.0.1:4317");
    assert.equal(urlOf(configOf({ endpoints: { logs: "http://x/y" } }), "logs"), "http://x/y");
  });

  const faulty: readonly (readonly [Readonly<Record<string, unknown>>, RegExp])[] = [
    [{ endpoint: "http://a b" }, /no URL/],
    [{ endpoint: "http://user:pass@host" }, /put credentials into headers/],
    [{ endpoint: "http://host/?key=1" }, /query/],
    [{ protocol: "grpc", endpoint: "http://host/v1/logs" }, /paths of its own/],
    [{ headers: { "Content-Type": "x" } }, /writes this header itself/],
    [{ headers: { "a b": "x" } }, /is not a header name/],
    [{ headers: { a: "x\r\ny: z" } }, /line break/],
    [{ protocol: "grpc", headers: { "x-bin": "x" } }, /grpc keeps names/],
    [{ protocol: "grpc", headers: { x: "café" } }, /ASCII/],
    [{ interval: "500ms" }, /interval must be 1s/],
    [{ timeout: "0s" }, /timeout must be 1ms/],
    [{ expireAfter: "30s" }, /expireAfter must not be less/],
  ];
  for (const [config, message] of faulty)
    it(`refuses ${JSON.stringify(config)}`, () => {
      const faults = faultsOf(configOf(config));
      assert.equal(faults.length, 1);
      assert.match(faults[0]?.message ?? "", message);
      assert.doesNotMatch(faults[0]?.message ?? "", /pass@|café/);
    });
});
