// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { request } from "undici";
import { type Collector, COLLECTOR_BUILD_MS, startCollector } from "../support/collector.ts";
import { eventually } from "../support/eventually.ts";
import { type MeshProgram, startMesh } from "../support/mesh-program.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";

const documentsFor = ({ httpUrl, grpcUrl }: Collector): string => `apiVersion: purser.dev/v1
kind: Handler
metadata: { name: otel }
spec: { adapter: opentelemetry, config: { endpoint: "${httpUrl}", interval: 1s } }
---
kind: Handler
metadata: { name: otel-grpc }
spec: { adapter: opentelemetry, config: { endpoint: "${grpcUrl}", protocol: grpc } }
---
kind: TraceSpan
metadata: { name: spans }
spec: { tags: { url.path: request.url_path }, handlers: [otel, otel-grpc] }
---
kind: Metric
metadata: { name: seen }
spec: { type: counter, value: 1, labels: { code: response.code }, handlers: [otel] }
---
kind: MeshConfig
metadata: { name: mesh }
spec: { tracing: { randomSamplingPercentage: 0, b3: SINGLE_HEADER } }
`;

describe("traces of the built program", function () {
  this.timeout(60_000);
  let collector: Collector;
  let mesh: MeshProgram;

  before(async function () {
    this.timeout(COLLECTOR_BUILD_MS + 60_000);
    collector = await startCollector(this);
    mesh = await startMesh(documentsFor(collector));
  });
  after(async () => {
    await mesh?.stop();
    await collector?.stop();
  });

  const get = async (headers: Readonly<Record<string, string>>): Promise<void> => {
    const { statusCode, body } = await request(`${mesh.edge}/books`, {
      headers: { host: "shop", ...headers },
    });
    await body.dump();
    assert.equal(statusCode, 200);
  };

  it("continue a caller's trace over HTTP and gRPC, and leave out what is not sampled", async () => {
    await eventually(() => get({}));
    await get({ b3: `${TRACE}-${SPAN}-1` });
    const textOf = (member: "resourceSpans" | "resourceMetrics"): string[] =>
      collector.received.flatMap((received) =>
        received[member] === undefined ? [] : [JSON.stringify(received[member])],
      );
    await eventually(async () => assert.equal(textOf("resourceSpans").length, 2));
    for (const text of textOf("resourceSpans")) {
      assert.equal(text.split('"traceId"').length, 2);
      assert.ok(text.includes(`"traceId":"${TRACE}"`));
      assert.ok(text.includes(`"parentSpanId":"${SPAN}"`));
      assert.ok(text.includes('"stringValue":"/books"'));
    }
    await eventually(async () =>
      assert.ok(textOf("resourceMetrics").some((text) => text.includes('"seen"'))),
    );
  });
});
