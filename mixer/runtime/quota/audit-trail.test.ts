// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { AuditEntry } from "../../../api/quota-operations.ts";
import { createCollectingLogger } from "../../../plugins/sdk/testing/index.ts";
import { AUDIT_ENTRIES, AuditTrail } from "./audit-trail.ts";

describe("the audit of quotas", () => {
  it("keeps the last changes, and logs every one", () => {
    const logger = createCollectingLogger();
    const audit = new AuditTrail(logger);
    const entry = (number: number): AuditEntry => ({
      time: "2026-01-01T00:00:00.000Z",
      action: "reset",
      policy: "p",
      key: {},
      by: "127.0.0.1",
      reason: `${number}`,
      changed: true,
      keptIn: "mixer",
    });
    for (let number = 0; number < AUDIT_ENTRIES + 5; number++) audit.add(entry(number));
    const { entries, forgotten } = audit.list(AUDIT_ENTRIES);
    assert.equal(forgotten, 5);
    assert.deepEqual(
      [entries.length, entries[0]?.reason, entries.at(-1)?.reason],
      [AUDIT_ENTRIES, "1004", "5"],
    );
    assert.deepEqual(
      audit.list(2).entries.map(({ reason }) => reason),
      ["1004", "1003"],
    );
    assert.equal(logger.lines.length, AUDIT_ENTRIES + 5);
  });
});
