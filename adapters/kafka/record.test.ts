// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import Value from "typebox/value";
import { DECISION_LOG_LINE } from "../../core/replay/log-line.ts";
import { readRecord } from "../../core/replay/record.ts";
import {
  createTestContext,
  decisionInstance,
  logEntryInstance,
  metricInstance,
  traceSpanInstance,
} from "../../plugins/sdk/testing/index.ts";
import type { Config } from "./config.ts";
import { kafka } from "./index.ts";
import { Records } from "./record.ts";

const records = (config: Readonly<Record<string, unknown>> = {}, handler = "events") =>
  new Records(createTestContext(kafka, { brokers: ["kafka:9092"], ...config }).config as Config, handler);

describe("a record of Kafka", () => {
  it("has the topic that the template says, with no character that Kafka refuses", () => {
    const topicFor = (topic: string, name: string, handler?: string) =>
      records({ topic }, handler).of("logentry", logEntryInstance({ name })).topic;
    assert.equal(topicFor("purser.{template}", "a"), "purser.logentry");
    assert.equal(topicFor("{handler}-{name}", "ns/log é", "x/y"), "x_y-ns_log__");
    assert.equal(topicFor("{name}", ".."), "_");
    assert.equal(topicFor("{name}", ""), "_");
    assert.equal(topicFor("{name}", "$&"), "__");
    assert.equal(topicFor("{name}", "n".repeat(300)).length, 249);
  });

  it("has a key of a text, number or boolean, and none for another value", () => {
    const keyOf = (user: unknown) =>
      records({ key: "variables.user" }).keyOf("logentry", logEntryInstance({ variables: { user } }));
    assert.deepEqual(["ada", 0, 5n, false, "שָׁלוֹם", "", null, undefined, {}, ["a"], Symbol("s")].map(keyOf), [
      "ada",
      "0",
      "5",
      "false",
      "שָׁלוֹם",
      ...Array.from({ length: 6 }),
    ]);
    const inherited = records({ key: "variables.constructor.name" });
    assert.equal(inherited.keyOf("logentry", logEntryInstance()), undefined);
    assert.equal(records({ key: "labels.destination" }).keyOf("metric", metricInstance()), "reviews");
    assert.equal(records({ key: "traceId" }).keyOf("logentry", logEntryInstance()), undefined);
  });

  it("has no key and no header of a redacted attribute", () => {
    const bag = {
      request: { headers: { Authorization: "Bearer s3cret", "x-session": "s3cret", "x-user": "ada" } },
    };
    const instance = decisionInstance({ bag });
    const headers = {
      a: "bag.request.headers.Authorization",
      s: "bag.request.headers.x-session",
      u: "bag.request.headers.x-user",
    };
    for (const key of [headers.a, headers.s]) {
      const record = records({ key, headers, redact: ["request.headers.x-s*"] }).of("decision", instance);
      assert.deepEqual([record.key, record.headers], [undefined, { u: "ada" }]);
      assert.doesNotMatch(record.value, /s3cret/);
    }
  });

  it("has a decision as a line of a decision log, in every format", () => {
    const headers = { authorization: "Bearer s3cret", "x-user": "ada" };
    const instance = decisionInstance({ bag: { request: { id: "a1b2", headers } } });
    for (const format of ["json", "cloudevents-binary", "cloudevents-structured"]) {
      const { value } = records({ format }).of("decision", instance);
      const json = JSON.parse(value) as { readonly data?: unknown };
      const line = format === "cloudevents-structured" ? json.data : json;
      assert.ok(Value.Check(DECISION_LOG_LINE, line), value);
      const read = readRecord(JSON.stringify(line), "topic", Date.parse);
      assert.ok(read.ok, read.ok ? "" : read.problem);
      assert.deepEqual(line, {
        v: 1,
        time: "2026-01-01T00:00:00.000Z",
        name: "decisions",
        id: "a1b2",
        snapshot: "v1",
        sampled: 1,
        redacted: ["request.headers.authorization"],
        hashed: [],
        cut: [],
        bag: { request: { id: "a1b2", headers: { authorization: "[redacted]", "x-user": "ada" } } },
        decision: { ...instance.decision },
      });
    }
  });

  it("is the same for an instance that is sent again, and another for an equal one", () => {
    const made = records({ format: "cloudevents-binary" });
    const span = traceSpanInstance();
    assert.equal(made.of("tracespan", span), made.of("tracespan", span));
    assert.notEqual(
      made.of("tracespan", span).headers["ce_id"],
      made.of("tracespan", traceSpanInstance()).headers["ce_id"],
    );
    assert.equal(made.of("tracespan", span).headers["ce_time"], "2026-01-01T00:00:00.012Z");
  });

  it("leaves out what a CloudEvents event cannot have", () => {
    const entry = logEntryInstance({ name: "", timestampMs: Number.NaN });
    const { headers } = records({ format: "cloudevents-binary" }, "\ud800 ü").of("logentry", entry);
    assert.deepEqual([headers["ce_time"], headers["ce_subject"]], [undefined, undefined]);
    assert.equal(headers["ce_source"], "/purser/%EF%BF%BD%20%C3%BC");
  });

  it("has valid JSON of any instance, in every format", () => {
    const circle: Record<string, unknown> = {
      big: 1n,
      בּ: "\ud800\n",
      long: "x".repeat(20_000),
      __proto__: null,
    };
    circle["self"] = circle;
    for (const format of ["json", "cloudevents-binary", "cloudevents-structured"]) {
      const made = records({ format });
      for (const record of [
        made.of("logentry", logEntryInstance({ variables: circle })),
        made.of("decision", decisionInstance({ bag: circle as never })),
        made.of("metric", metricInstance({ value: Number.NaN, labels: {} })),
      ]) {
        assert.doesNotThrow(() => JSON.parse(record.value));
        assert.ok(record.bytes > Buffer.byteLength(record.value));
      }
    }
  });
});
