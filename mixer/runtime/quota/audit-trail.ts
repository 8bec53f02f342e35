// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AuditEntry, AuditListing } from "../../../api/quota-operations.ts";
import type { Logger } from "../../../kernel/ports.ts";

/** Most entries that a mixer keeps; older ones are only in its log. */
export const AUDIT_ENTRIES = 1_000;

/** The changes that operators made to quotas at this mixer: the last ones in memory, and each as a line in the log. */
export class AuditTrail {
  readonly #logger: Logger;
  readonly #entries: AuditEntry[] = [];
  #forgotten = 0;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  add(entry: AuditEntry): void {
    this.#entries.push(entry);
    if (this.#entries.length > AUDIT_ENTRIES) {
      this.#entries.shift();
      this.#forgotten++;
    }
    // The logger has a field called `time`.
    const { time: _, ...fields } = entry;
    this.#logger.info("a quota was changed by an operator", fields);
  }

  /** @param limit Most entries. */
  list(limit: number): AuditListing {
    return { entries: this.#entries.slice(-limit).reverse(), forgotten: this.#forgotten };
  }
}
