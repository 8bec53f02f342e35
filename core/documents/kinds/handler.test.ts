// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { HANDLER, type HandlerSpec } from "./handler.ts";

const faultsOf = (delivery: NonNullable<HandlerSpec["delivery"]>): readonly string[] =>
  HANDLER.check({ adapter: "webhook", delivery }).map(({ path, message }) => `${path.join(".")}: ${message}`);

const spool = { directory: "spool" };

describe("a handler's delivery", () => {
  it("has a largest batch that is not below the usual one", () => {
    assert.deepEqual(faultsOf({ maxBatchSize: 99 }), [
      "delivery.maxBatchSize: spec.delivery.maxBatchSize must be batchSize, 100, at least",
    ]);
    assert.deepEqual(faultsOf({ batchSize: 500, maxBatchSize: 499 }), [
      "delivery.maxBatchSize: spec.delivery.maxBatchSize must be batchSize, 500, at least",
    ]);
    for (const sizes of [{ maxBatchSize: 100 }, { batchSize: 5, maxBatchSize: 5 }, { batchSize: 5_000 }])
      assert.deepEqual(faultsOf(sizes), []);
  });

  it("has a spool where it is used, and only there", () => {
    const durable = { class: "at-least-once" } as const;
    assert.match(faultsOf(durable).join(), /^delivery\.class: .* needs spec\.delivery\.spool$/);
    assert.match(
      faultsOf({ overflow: "spill" }).join(),
      /^delivery\.overflow: .* needs spec\.delivery\.spool$/,
    );
    assert.match(faultsOf({ spool }).join(), /^delivery\.spool: .* used by class at-least-once/);
    assert.match(
      faultsOf({ ...durable, spool, overflow: "spill" }).join(),
      /^delivery\.overflow: .* spill is for/,
    );
    assert.match(faultsOf({ ...durable, spool, attempts: 2 }).join(), /^delivery\.attempts: .* at-most-once/);
    assert.deepEqual([...faultsOf({ ...durable, spool }), ...faultsOf({ overflow: "spill", spool })], []);
  });
});
