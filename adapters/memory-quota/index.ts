// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createMemoryQuotaStore, defineAdapter, Type } from "../../plugins/sdk/index.ts";

/** Counts quotas in this process: exact for one mixer, and gone when it ends. */
export const memoryQuota = defineAdapter({
  name: "memory-quota",
  description: "Counts quotas in the memory of this process.",
  templates: ["quota"],
  config: Type.Object({
    maxCells: Type.Integer({
      default: 100_000,
      minimum: 1,
      maximum: 10_000_000,
      description:
        "Counts kept at most, one for each set of key values; long names weigh more. Counts at rest make way for new ones; " +
        "when all are in use, a new one is unavailable and its policy's onStoreFailure decides.",
    }),
    maxDeduplicationIds: Type.Integer({
      default: 100_000,
      minimum: 2,
      maximum: 10_000_000,
      description:
        "Calls remembered at most, so that a repeat counts nothing; beyond it the older half is forgotten before its minute is over.",
    }),
  }),
  build({ config, clock }) {
    const store = createMemoryQuotaStore({ clock, ...config });
    return {
      quota: (requests, options) => store.allocate(requests, options),
      healthy: () => true,
      close() {},
    };
  },
});
