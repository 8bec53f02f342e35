// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createMemoryQuotaStore, defineAdapter, Type } from "../../plugins/sdk/index.ts";

/** Counts quotas in this process: exact for a single mixer; the counts are lost when it ends. */
export const memoryQuota = defineAdapter({
  name: "memory-quota",
  description: "Counts quotas in the memory of this process.",
  templates: ["quota"],
  confined: true,
  config: Type.Object({
    maxCells: Type.Integer({
      default: 100_000,
      minimum: 1,
      maximum: 10_000_000,
      description:
        "Most counts kept, one for each set of key values; long names and logs weigh more. Idle counts make way for new ones; " +
        "when all are in use, a new count is unavailable and its policy's onStoreFailure decides.",
    }),
    maxDeduplicationIds: Type.Integer({
      default: 100_000,
      minimum: 2,
      maximum: 10_000_000,
      description:
        "Most calls remembered for a minute, so that a repeated call counts nothing; beyond it the older half is forgotten early.",
    }),
  }),
  build({ config, clock }) {
    const store = createMemoryQuotaStore({ clock, ...config });
    return {
      quota: (requests, options) => store.allocate(requests, options),
      quotaView: store.view,
      healthy: () => true,
      close() {},
    };
  },
});
