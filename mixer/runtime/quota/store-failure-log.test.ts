// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { chargeAll } from "../../../core/quota/charge-all.ts";
import { demandOf, type NamedStore } from "../../../core/quota/demand.ts";
import { createMemoryQuotaStore } from "../../../core/quota/memory-store.ts";
import { createCollectingLogger, createVirtualTime } from "../../../plugins/sdk/testing/index.ts";
import { charge } from "../../../test/support/quota-charges.ts";
import { createStoreFailureLog } from "./store-failure-log.ts";

describe("the log of a store's failures", () => {
  it("logs a store's first failure and its return once, not each request", async () => {
    const { clock } = createVirtualTime();
    const logger = createCollectingLogger();
    const observer = createStoreFailureLog(logger);
    const inner = createMemoryQuotaStore({ clock });
    let failing = true;
    const store: NamedStore = {
      name: "flaky",
      allocate: (...call) => {
        if (failing) throw new Error("down");
        return inner.allocate(...call);
      },
    };
    const options = { localStore: inner, nodes: 1, observer };
    let id = 0;
    const ask = async () =>
      chargeAll([demandOf(charge("q"), store, { nowMs: 0 })], { ...options, deduplicationId: `id-${++id}` });
    for (let request = 0; request < 5; request++) await ask();
    failing = false;
    for (let request = 0; request < 2; request++) await ask();
    assert.deepEqual(
      logger.lines.map(({ level }) => level),
      ["warn", "info"],
    );
  });
});
