// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { parseDocuments } from "../../core/documents/parse-documents.ts";
import { faultsOfMetricNames } from "../../core/documents/set/metric-names.ts";
import { createTestContext, expositionText } from "../../plugins/sdk/testing/index.ts";
import { prometheus } from "./index.ts";

const NAME = fc
  .tuple(
    fc.constantFrom("a", "b", "a.b"),
    fc.constantFrom("", "_count", "_sum", "_bucket", "_total", "_created", ".count", "_x", ".x"),
  )
  .map((parts) => parts.join(""));
const METRIC = fc.record({
  name: NAME,
  type: fc.constantFrom("counter", "gauge", "histogram"),
  kind: fc.constantFrom("Metric", "Rule"),
});

const SPEC: Readonly<Record<string, (name: string, type: string) => string>> = {
  Metric: (_, type) => `{ type: ${type}, value: 1, handlers: [h] }`,
  Rule: (name, type) =>
    `{ instances: [{ name: ${name}, template: metric, params: { type: "'${type}'" } }], actions: [{ handler: h, instances: [${name}] }] }`,
};

describe("metrics that are valid together", () => {
  it("share no series in Prometheus' text form", async () => {
    const sets = fc.uniqueArray(METRIC, { maxLength: 5, selector: ({ name }) => name });
    await fc.assert(
      fc.asyncProperty(sets, async (metrics) => {
        const text = metrics
          .map(
            ({ name, type, kind }) =>
              `apiVersion: purser.dev/v1\nkind: ${kind}\nmetadata: { name: ${name} }\nspec: ${SPEC[kind]?.(name, type)}\n`,
          )
          .join("---\n");
        const { documents } = parseDocuments({ path: "a.yaml", text });
        assert.equal(documents.length, metrics.length);
        fc.pre(faultsOfMetricNames(documents).length === 0);
        const handler = prometheus.build(createTestContext(prometheus));
        const { signal } = new AbortController();
        for (const { name, type } of metrics)
          await handler.metric?.([{ name, type, value: 1, labels: {} } as never], { signal });
        const page = await expositionText(handler);
        await handler.close();
        const series = page.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
        const names = series.map((line) => line.replace(/ [^ ]*$/, ""));
        assert.deepEqual(names, [...new Set(names)]);
        for (const { name } of metrics) assert.match(page, new RegExp(`^${name.replace(".", "_")}`, "m"));
      }),
      { numRuns: 300 },
    );
  });
});
