// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { createTestContext, metricInstance } from "../../../plugins/sdk/testing/index.ts";
import { opentelemetry } from "../index.ts";
import { loadCodecs, type MetricData, type Resource } from "../otlp.ts";
import { fieldsOf } from "../protobuf.ts";
import { SelfMetrics } from "../self-metrics.ts";
import { MetricStore } from "./metric-store.ts";

const resource = { attributes: {} } as unknown as Resource;

/** The metrics of one push of counters whose labels have this many characters, with an exemplar where `sampled` says so. */
function pushed(sampled: readonly boolean[], labelLength: number, exemplars: boolean): MetricData[] {
  const { clock, logger, config } = createTestContext(opentelemetry);
  const { histogram, maxSeries } = config;
  const self = new SelfMetrics("test");
  const store = new MetricStore({
    histogram,
    maxSeries,
    exemplars,
    expireAfterMs: undefined,
    clock,
    logger,
    self,
  });
  for (const [index, hasExemplar] of sampled.entries()) {
    const labels = { index: String(index).padEnd(labelLength) };
    const exemplar = { traceId: "a".repeat(32), spanId: "b".repeat(16) };
    store.record(metricInstance({ labels, ...(hasExemplar ? { exemplar } : {}) }));
  }
  return store.collect().flatMap((batch) => batch.data());
}

/** The content of the fields at a path of field numbers. */
function contentsAt(message: Uint8Array, path: readonly number[]): readonly Uint8Array[] {
  const [first, ...rest] = path;
  if (first === undefined) return [message];
  return [...fieldsOf(message)].flatMap(({ field, value }) =>
    field === first && typeof value !== "number" ? contentsAt(value, rest) : [],
  );
}

/** From a request to the data points of its sums. */
const POINTS = [1, 2, 2, 7, 1];

describe("exemplars in a request of metrics", () => {
  it("follow the fields of their own points, which stay as the serializer wrote them", async () => {
    const { metrics: protobuf } = await loadCodecs("grpc");
    const { metrics: json } = await loadCodecs("http/json");
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }),
        fc.constantFrom(0, 120, 17_000),
        (sampled, labelLength) => {
          const [plain, full] = [false, true].map((exemplars) => {
            const metrics = pushed(sampled, labelLength, exemplars);
            return { resource, scopeMetrics: [{ scope: { name: "purser" }, metrics }] };
          }) as [Parameters<typeof json.encode>[0], Parameters<typeof json.encode>[0]];
          const without = contentsAt(protobuf.encode(plain), POINTS);
          const points = contentsAt(protobuf.encode(full), POINTS);
          assert.equal(points.length, sampled.length);
          for (const [index, point] of points.entries()) {
            const length = without[index]?.length ?? 0;
            assert.deepEqual(Buffer.from(point.subarray(0, length)), Buffer.from(without[index] ?? []));
            const exemplars = contentsAt(point, [5]);
            assert.equal(exemplars.length, sampled[index] === true ? 1 : 0);
            for (const exemplar of exemplars)
              assert.deepEqual(
                [contentsAt(exemplar, [5]), contentsAt(exemplar, [4])].map(([id]) =>
                  Buffer.from(id ?? []).toString("hex"),
                ),
                ["a".repeat(32), "b".repeat(16)],
              );
          }
          const text = Buffer.from(json.encode(full)).toString("utf8");
          assert.equal(text.split('"exemplars"').length - 1, sampled.filter(Boolean).length);
        },
      ),
      { numRuns: 30 },
    );
  });
});
