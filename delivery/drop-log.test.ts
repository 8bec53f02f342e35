// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createCollectingLogger, createVirtualTime } from "../plugins/sdk/testing/index.ts";
import { DropLog } from "./drop-log.ts";

describe("the log of drops", () => {
  it("logs the first drop at once, later ones summed up, and the rest at the close", () => {
    const time = createVirtualTime();
    const logger = createCollectingLogger();
    const log = new DropLog(logger, time.clock);
    log.dropped(1, "failed", new Error("away"));
    for (let drop = 0; drop < 50; drop++) log.dropped(2, "overflow");
    assert.equal(logger.lines.length, 1);
    time.advance(10_000);
    log.dropped(3, "overflow");
    log.dropped(4, "closed");
    log.dropped(0, "closed");
    log.flush();
    log.flush();
    assert.deepEqual(
      logger.lines.map(({ fields }) => fields),
      [
        { items: 1, reason: "failed", error: "away" },
        { items: 103, reason: "overflow" },
        { items: 4, reason: "closed" },
      ],
    );
  });
});
