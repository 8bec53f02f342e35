// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { createTestContext } from "../../plugins/sdk/testing/index.ts";
import { EvictionWarning } from "./eviction-warning.ts";
import { redisQuota } from "./index.ts";

const memory = (maxmemory: number, policy: string) =>
  `# Memory\r\nused_memory:1000\r\nmaxmemory:${maxmemory}\r\nmaxmemory_human:1K\r\nmaxmemory_policy:${policy}\r\n`;

describe("the warning of eviction", () => {
  const warningsAfter = async (...infos: readonly (string | Error)[]): Promise<readonly unknown[]> => {
    const { logger } = createTestContext(redisQuota, {});
    const warning = new EvictionWarning(logger);
    for (const info of infos) {
      warning.check("a:1", () => (info instanceof Error ? Promise.reject(info) : Promise.resolve(info)));
      await turn();
    }
    return logger.lines.map(({ level, fields }) => [level, fields?.["maxmemoryPolicy"]]);
  };

  it("is given once, for every policy that evicts keys with a TTL", async () => {
    for (const policy of ["volatile-lru", "volatile-ttl", "volatile-random", "allkeys-lfu", "allkeys-random"])
      assert.deepEqual(await warningsAfter(memory(1_000, policy), memory(1_000, policy)), [["warn", policy]]);
  });

  it("is not given when nothing is evicted, or when the server does not tell", async () => {
    assert.deepEqual(
      await warningsAfter(
        memory(1_000, "noeviction"),
        memory(0, "allkeys-lru"),
        "# Memory\r\n",
        new Error("NOPERM this user has no permissions to run the 'info' command"),
      ),
      [],
    );
  });

  it("is given by the first connection that can tell", async () => {
    assert.deepEqual(await warningsAfter(new Error("NOPERM"), memory(1, "volatile-lfu")), [
      ["warn", "volatile-lfu"],
    ]);
  });
});
