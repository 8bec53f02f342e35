// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type {
  AdapterHandler,
  PartialFailure,
  PurserError,
  TraceSpanInstance,
} from "../../../plugins/sdk/index.ts";
import {
  createTestContext,
  type TestContext,
  traceSpanInstance,
} from "../../../plugins/sdk/testing/index.ts";
import { type RunningStandIn, startGoogleStandIn } from "../../../test/support/google-stand-in/server.ts";
import { stackdriver } from "../index.ts";

describe("the spans of stackdriver", () => {
  let running: RunningStandIn;
  let context: TestContext<unknown>;
  let handler: AdapterHandler;

  beforeEach(async () => {
    running = await startGoogleStandIn();
    const made = createTestContext(stackdriver, {
      project: "demo",
      credentials: "none",
      endpoints: { trace: running.url },
    });
    context = made;
    handler = stackdriver.build(made);
  });

  afterEach(async () => {
    await handler.close();
    await context.http.close();
    await running.close();
  });

  const write = async (...spans: readonly TraceSpanInstance[]): Promise<PartialFailure | void> =>
    handler.tracespan?.(spans, { signal: AbortSignal.timeout(5000) });
  const spans = () => running.standIn.trace.spans as readonly Readonly<Record<string, unknown>>[];

  it("writes spans with ids, names, times, kind, status and attributes", async () => {
    const tags = { method: "GET", ok: true, size: 7, share: 0.5, nothing: undefined, list: [1, "a"] };
    await write(
      traceSpanInstance({ parentSpanId: "00f067aa0ba902b7", clientSpan: true, httpStatusCode: 503, tags }),
      traceSpanInstance({ httpStatusCode: undefined, tags: {} }),
    );
    const [first, second] = spans();
    assert.deepEqual(first, {
      name: "projects/demo/traces/0af7651916cd43dd8448eb211c80319c/spans/b7ad6b7169203331",
      spanId: "b7ad6b7169203331",
      parentSpanId: "00f067aa0ba902b7",
      displayName: { value: "GET /reviews" },
      startTime: "2026-01-01T00:00:00.000Z",
      endTime: "2026-01-01T00:00:00.012Z",
      spanKind: "CLIENT",
      sameProcessAsParentSpan: false,
      attributes: {
        attributeMap: {
          "/http/status_code": { intValue: "503" },
          method: { stringValue: { value: "GET" } },
          ok: { boolValue: true },
          size: { intValue: "7" },
          share: { stringValue: { value: "0.5" } },
          list: { stringValue: { value: '[1,"a"]' } },
        },
      },
      status: { code: 14 },
    });
    assert.equal(second?.["status"] ?? second?.["parentSpanId"], undefined);
  });

  it("keeps names and attributes within their limits", async () => {
    const tags = Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => [`tag ${index}`, "🛳".repeat(100)]),
    );
    Object.defineProperty(tags, "__proto__", { value: "odd", enumerable: true });
    const long = { [`${"é".repeat(100)}1`]: 1, [`${"é".repeat(100)}2`]: 2, "": 3 };
    await write(
      traceSpanInstance({ spanName: "🛳".repeat(33), tags }),
      traceSpanInstance({ spanName: "", tags: { ...long, lone: "\ud800", big: 1n } }),
    );
    const [first, second] = spans() as readonly {
      readonly displayName: unknown;
      readonly attributes: {
        readonly attributeMap: Record<string, unknown>;
        readonly droppedAttributesCount: number;
      };
    }[];
    assert.deepEqual(first?.displayName, { value: "🛳".repeat(32), truncatedByteCount: 4 });
    assert.equal(Object.keys(first?.attributes.attributeMap ?? {}).length, 32);
    assert.equal(first?.attributes.droppedAttributesCount, 10);
    assert.deepEqual(first?.attributes.attributeMap["tag 0"], {
      stringValue: { value: "🛳".repeat(64), truncatedByteCount: 144 },
    });
    assert.deepEqual(second?.attributes.attributeMap, {
      "/http/status_code": { intValue: "200" },
      ["é".repeat(64)]: { intValue: "1" },
      lone: { stringValue: { value: "\ufffd" } },
      big: { stringValue: { value: "1" } },
    });
    assert.deepEqual(running.standIn.refusals, []);
  });

  it("refuses spans without valid ids or times alone, and gives a span that ends too early no duration", async () => {
    const outcome = await write(
      traceSpanInstance({ traceId: "not hex" }),
      traceSpanInstance({ spanId: "0".repeat(16) }),
      traceSpanInstance({ startMs: Number.NaN }),
      traceSpanInstance({ startMs: 1000, endMs: 999, parentSpanId: "nonsense" }),
    );
    assert.deepEqual(
      outcome?.refused.map(({ index, error }) => [index, (error as PurserError).retryable]),
      [0, 1, 2].map((index) => [index, false]),
    );
    assert.equal(spans()[0]?.["endTime"], "1970-01-01T00:00:01.000Z");
  });

  it("splits large batches, and fails as the service does", async () => {
    await write(...Array.from({ length: 2500 }, () => traceSpanInstance()));
    assert.equal(running.standIn.calls, 3);
    assert.equal(spans().length, 2500);
    running.standIn.failNext("503");
    await assert.rejects(write(traceSpanInstance()), { code: "PURSER_HANDLER_FAILED", retryable: true });
    running.standIn.failNext("403");
    await assert.rejects(write(traceSpanInstance()), {
      retryable: false,
      message: /Cloud Trace answered PERMISSION_DENIED/,
    });
  });
});
