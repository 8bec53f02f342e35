// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { defineAdapter } from "../../plugins/sdk/index.ts";
import { CONFIG, faultsOf, targetOf } from "./config.ts";
import { Connection } from "./connection.ts";
import { Failures } from "./failure.ts";
import { RedisQuotaStore } from "./store.ts";
import { createRedisView } from "./view.ts";

/** Counts quotas in Redis, so that several mixers share them exactly. */
export const redisQuota = defineAdapter({
  name: "redis-quota",
  description: "Counts quotas in Redis, shared exactly by all mixers that use it.",
  templates: ["quota"],
  config: CONFIG,
  check: faultsOf,
  build({ config, logger, clock, random, scheduler }) {
    const target = targetOf(config);
    const failures = new Failures(target);
    const connection = new Connection({ target, failures, logger, random });
    const { keyPrefix } = config;
    const { timeoutMs } = target;
    const store = new RedisQuotaStore({
      connection,
      failures,
      keyPrefix,
      timeoutMs,
      clock,
      random,
      scheduler,
    });
    return {
      quota: (requests, options) => store.allocate(requests, options),
      quotaView: createRedisView({ connection, failures, keyPrefix, timeoutMs, scheduler }),
      healthy: () => store.healthy(),
      close: () => store.close(),
    };
  },
});
