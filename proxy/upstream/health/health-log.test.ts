// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createVirtualTime } from "../../../plugins/sdk/testing/time.ts";
import { RecordingLogger } from "../../testing/harness.test.ts";
import { HealthLog } from "./health-log.ts";

describe("the log of endpoints' health", () => {
  it("has a line for each change, 20 in ten seconds at most, and then says how many had none", () => {
    const time = createVirtualTime();
    const logger = new RecordingLogger();
    const log = new HealthLog(logger, time.clock);
    for (let change = 0; change < 1_000; change++) log.unhealthy({ endpoint: String(change) });
    assert.equal(logger.lines.length, 20);
    time.advance(9_999);
    log.healthy({ endpoint: "0" });
    assert.equal(logger.lines.length, 20);
    time.advance(1);
    log.healthy({ endpoint: "0" });
    log.healthy({ endpoint: "1" });
    assert.deepEqual(logger.lines.slice(20), [
      {
        level: "info",
        message: "an endpoint is healthy again",
        fields: { endpoint: "0", changesWithoutLine: 981 },
      },
      { level: "info", message: "an endpoint is healthy again", fields: { endpoint: "1" } },
    ]);
  });
});
