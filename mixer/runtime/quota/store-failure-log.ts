// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { StoreObserver } from "../../../core/quota/charge-all.ts";
import { messageOf } from "../../../kernel/errors.ts";
import type { Logger } from "../../../kernel/ports.ts";

/** Logs when a store begins to fail and when it is back, not each failed request. */
export function createStoreFailureLog(logger: Logger): StoreObserver {
  const failing = new Set<string>();
  return {
    answered: (store) => {
      if (failing.delete(store)) logger.info("a quota store answers again", { store });
    },
    failed: (store, error) => {
      if (failing.has(store)) return;
      failing.add(store);
      logger.warn("a quota store does not answer; onStoreFailure decides until it does", {
        store,
        error: messageOf(error),
      });
    },
    notReturned: (store, error) =>
      logger.debug("a quota store did not take back what a refused request had been granted", {
        store,
        error: messageOf(error),
      }),
  };
}
