// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { AdapterHandler } from "../../plugins/sdk/index.ts";
import {
  createTestContext,
  createVirtualTime,
  describeAdapterContract,
  quotaRequest,
  type VirtualTime,
} from "../../plugins/sdk/testing/index.ts";
import { describeQuotaStore } from "../../test/support/quota-store-suite.ts";
import { memoryQuota } from "./index.ts";

describeAdapterContract(memoryQuota);

describe("the adapter memory-quota", () => {
  let time: VirtualTime;
  let handler: AdapterHandler;

  const start = (config: Readonly<Record<string, unknown>> = {}) => {
    time = createVirtualTime();
    handler = memoryQuota.build(createTestContext(memoryQuota, config, { time }));
  };
  const allocate: NonNullable<AdapterHandler["quota"]> = (requests, options) => {
    assert.ok(handler.quota !== undefined);
    return handler.quota(requests, options);
  };

  beforeEach(() => start());
  afterEach(() => handler.close());

  describeQuotaStore("as a quota store", () => ({
    store: { allocate },
    wait: (durationMs) => time.advance(durationMs),
  }));

  it("keeps at most maxCells counts", () => {
    start({ maxCells: 1 });
    void allocate([quotaRequest({ cell: "first" })], { deduplicationId: "" });
    assert.throws(() => allocate([quotaRequest({ cell: "second" })], { deduplicationId: "" }), {
      code: "PURSER_STORE_UNAVAILABLE",
    });
  });
});
