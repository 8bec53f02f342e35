// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { MetricInstance } from "../../plugins/sdk/index.ts";
import { createTestContext, metricInstance } from "../../plugins/sdk/testing/index.ts";
import { statsd } from "./index.ts";
import { linesOf } from "./lines.ts";
import { packetsOf } from "./packets.ts";
import { styleOf } from "./style.ts";

type Config = Readonly<Record<string, unknown>>;

const LABELS = { destination: "reviews", code: "200" };
const counter = (value: number, changes: Partial<MetricInstance> = {}) =>
  metricInstance({ name: "requests", value, labels: LABELS, ...changes });
const gauge = (value: number) => counter(value, { type: "gauge" });
const histogram = (value: number, changes: Partial<MetricInstance> = {}) =>
  counter(value, { type: "histogram", ...changes });

const build = (config: Config, batch: readonly MetricInstance[], maxBytes = 1432) =>
  linesOf(batch, styleOf(createTestContext(statsd, config).config), maxBytes);
const texts = (config: Config, ...batch: MetricInstance[]) =>
  build(config, batch).lines.map((line) => line.text);
const DOG = { dialect: "dogstatsd" };

describe("the lines of statsd", () => {
  it("add up a counter, keep a gauge's last value, and send each value of a histogram", () => {
    const batch = [counter(1), counter(2.5), gauge(3), histogram(7), gauge(4), histogram(8)];
    assert.deepEqual(texts({}, ...batch), [
      "requests.reviews.200:3.5|c",
      "requests.reviews.200:4|g",
      "requests.reviews.200:7|ms",
      "requests.reviews.200:8|ms",
    ]);
  });

  it("know which instances a line has", () => {
    const { lines } = build({}, [counter(1), gauge(2), counter(3)]);
    assert.deepEqual(
      lines.map((line) => line.instances),
      [[0, 2], [1]],
    );
  });

  it("set a negative gauge by way of 0, since a sign means a change", () => {
    assert.deepEqual(texts({}, gauge(-5)), ["requests.reviews.200:0|g\nrequests.reviews.200:-5|g"]);
    assert.deepEqual(texts({}, gauge(-0)), ["requests.reviews.200:0|g"]);
    assert.deepEqual(texts(DOG, gauge(-5)), ["requests:-5|g|#destination:reviews,code:200"]);
  });

  it("have a prefix, other types for histograms, and no labels where they are not wanted", () => {
    const config = { prefix: "purser.", labels: "drop", histogram: "h" };
    assert.deepEqual(texts(config, counter(1), histogram(2)), ["purser.requests:1|c", "purser.requests:2|h"]);
  });

  it("write timers in milliseconds", () => {
    const values = ["s", "ms", "us", "ns", "By", undefined].map((unit) =>
      histogram(1500, unit === undefined ? {} : { unit }),
    );
    assert.deepEqual(
      texts({ labels: "drop" }, ...values).map((text) => /:(.*)\|ms$/.exec(text)?.[1]),
      ["1500000", "1500", "1.5", "0.0015", "1500", "1500"],
    );
  });

  it("write numbers without exponents", () => {
    const values = [1e21, 1e-7, -1e-7, 1e-30, 0.1, 1e300];
    const written = values.map((value) => /:([^|]*)\|/.exec(texts({}, counter(value))[0] ?? "")?.[1] ?? "");
    assert.deepEqual(written.slice(0, 5), ["1000000000000000000000", "0.0000001", "-0.0000001", "0", "0.1"]);
    assert.equal(Number(written[5]), 1e300);
  });

  it("refuse numbers that are not finite, alone", () => {
    const batch = [counter(Number.NaN), counter(1), gauge(Number.POSITIVE_INFINITY)];
    const { lines, refused } = build({}, batch);
    assert.deepEqual(
      lines.map((line) => line.text),
      ["requests.reviews.200:1|c"],
    );
    assert.deepEqual(
      refused.map(({ index }) => index),
      [0, 2],
    );
    const sum = build({}, [counter(1.7e308), counter(1.7e308)]);
    assert.deepEqual([sum.lines.length, sum.refused.length], [0, 2]);
  });

  it("let no text of a client into the protocol", () => {
    const labels = { "a b": "x|c\ny:1|g", Zoë: "Zoë 🛳️", empty: "", path: "/a.b/c" };
    assert.deepEqual(texts({}, counter(1, { name: "a:b c|d", labels })), [
      "a_b_c_d.x_c_y_1_g.Zo____._._a_b_c:1|c",
    ]);
    assert.deepEqual(texts(DOG, counter(1, { name: "7:é", labels })), [
      "m_7__:1|c|#a_b:x_c_y:1_g,Zoë:Zoë___,empty,path:/a.b/c",
    ]);
  });
});

describe("the lines of dogstatsd", () => {
  it("have tags, the container's fields and the seconds", () => {
    const config = {
      ...DOG,
      tags: { env: "prod" },
      containerId: "ci-abc",
      externalData: "it-false_cn-x",
      cardinality: "low",
      timestamps: true,
    };
    const end = "#env:prod,destination:reviews,code:200|c:ci-abc|e:it-false_cn-x|card:low";
    assert.deepEqual(texts(config, counter(1), gauge(2), histogram(3)), [
      `requests:1|c|${end}|T1767225600`,
      `requests:2|g|${end}|T1767225600`,
      `requests:3|d|${end}`,
    ]);
    assert.deepEqual(
      texts({ ...DOG, timestamps: true }, counter(1, { timestampMs: Number.NaN, labels: {} })),
      ["requests:1|c"],
    );
  });

  it("pack values up to the packet's size", () => {
    const batch = Array.from({ length: 100 }, (_, index) => histogram(index));
    const { lines } = build(DOG, batch, 100);
    assert.ok(lines.every((line) => Buffer.byteLength(line.text) <= 100));
    assert.ok(lines.length < 10);
    const values = lines.flatMap(({ text }) => text.slice(0, text.indexOf("|")).split(":").slice(1));
    assert.deepEqual(values.map(Number), Array.from(batch.keys()));
    assert.deepEqual(
      lines.flatMap((line) => line.instances),
      [...batch.keys()],
    );
    assert.equal(build({ ...DOG, packValues: false }, batch).lines.length, 100);
  });

  it("cut tags at 200 characters, and no character in half", () => {
    const [text = ""] = texts(DOG, counter(1, { labels: { a: "x".repeat(1_000_000), b: "𝒳".repeat(300) } }));
    const [a = "", b = ""] = (text.split("#")[1] ?? "").split(",");
    assert.deepEqual([Array.from(a).length, Array.from(b).length], [200, 200]);
    assert.doesNotMatch(b, /\p{Surrogate}/u);
  });
});

describe("the packets", () => {
  const line = (text: string, index: number) => ({ text, instances: [index] });

  it("hold as many lines as fit, by their bytes", () => {
    const { packets, refused } = packetsOf([line("aaa", 0), line("bbb", 1), line("éé", 2), line("c", 3)], 7);
    assert.deepEqual(
      packets.map((packet) => [packet.bytes.toString(), packet.instances]),
      [
        ["aaa\nbbb", [0, 1]],
        ["éé\nc", [2, 3]],
      ],
    );
    assert.deepEqual(refused, []);
  });

  it("refuse a line that is too large, alone", () => {
    const { packets, refused } = packetsOf([line("a", 0), line("x".repeat(8), 1), line("b", 2)], 7);
    assert.equal(packets[0]?.bytes.toString(), "a\nb");
    assert.deepEqual(
      refused.map(({ index, error }) => [index, (error as { code?: string }).code]),
      [[1, "PURSER_REQUEST_TOO_LARGE"]],
    );
  });

  it("do not part the two lines of a negative gauge", () => {
    const { packets } = packetsOf([line("aaaa", 0), line("g:0|g\ng:-1|g", 1)], 13);
    assert.deepEqual(
      packets.map((packet) => packet.bytes.toString()),
      ["aaaa", "g:0|g\ng:-1|g"],
    );
  });
});
