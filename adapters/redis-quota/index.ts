// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { defineAdapter } from "../../plugins/sdk/index.ts";
import type { Backend } from "./backend.ts";
import { Cluster } from "./cluster/cluster.ts";
import { CONFIG, faultsOf } from "./config.ts";
import { Connection } from "./connection.ts";
import { EvictionWarning } from "./eviction-warning.ts";
import { Failures } from "./failure.ts";
import { createShards } from "./shards.ts";
import { RedisQuotaStore } from "./store.ts";
import { targetOf, topologyText } from "./target.ts";
import { TlsFiles } from "./tls-files.ts";
import { createRedisView } from "./view.ts";

/** Counts quotas in Redis, so that several mixers share them exactly. */
export const redisQuota = defineAdapter({
  name: "redis-quota",
  description: "Counts quotas in Redis, shared exactly by all mixers that use it.",
  templates: ["quota"],
  config: CONFIG,
  check: faultsOf,
  build({ config, files, logger, clock, random, scheduler }) {
    const target = targetOf(config);
    const { topology, timeoutMs } = target;
    const { keyPrefix } = config;
    const failures = new Failures(topologyText(topology), [
      target.credentials.password,
      topology.kind === "sentinel" ? topology.credentials.password : undefined,
    ]);
    const tls = target.tls ? new TlsFiles({ config, files, logger }) : undefined;
    const eviction = new EvictionWarning(logger);
    const settings = { target, tls, failures, eviction, logger, random };
    const backend: Backend =
      topology.kind === "cluster"
        ? new Cluster({ ...settings, seeds: topology.seeds, scheduler })
        : new Connection(topology, settings);
    const shards = createShards(keyPrefix, topology.kind === "cluster" ? topology.shards : 1);
    const store = new RedisQuotaStore({ backend, failures, shards, timeoutMs, clock, random, scheduler });
    return {
      quota: (requests, options) => store.allocate(requests, options),
      quotaView: createRedisView({ backend, failures, keyPrefix, shards, timeoutMs, scheduler }),
      healthy: () => store.healthy(),
      close: () => {
        store.close();
        tls?.close();
      },
    };
  },
});
