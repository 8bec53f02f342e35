// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { AuditEntry, QuotaListing, QuotaPolicyState, TopListing } from "../../api/quota-operations.ts";
import { styleOf } from "../terminal.ts";
import { auditText, changeText, listText, topText } from "./text.ts";

const STYLE = styleOf({}, {});

const POLICY: QuotaPolicyState = {
  policy: "per-user",
  algorithm: "fixed-window",
  windowMs: 60_000,
  limit: 1_000,
  overrides: [5_000],
  leaseMs: 1_000,
  mode: "shadow",
  store: "redis",
  shared: true,
  counts: [
    {
      cell: 'per-user{"user":"ann"}',
      key: { user: "ann", port: 80 },
      limit: 1_000,
      used: 900,
      remaining: 100,
      resetMs: 90_400,
    },
    { cell: "per-user{#3}", limit: 1_000, used: 7, remaining: 993, resetMs: 400 },
  ],
  adjustments: [
    {
      kind: "raise",
      cell: "per-user{}",
      key: {},
      limit: 2_000,
      leftMs: 7_500_000,
      keptIn: "store",
      by: "10.0.0.1",
      reason: "launch",
      time: "2026-01-01T00:00:00.000Z",
    },
    {
      kind: "block",
      cell: "per-user{}",
      key: { user: "a b" },
      limit: 0,
      leftMs: 180_000_000,
      keptIn: "mixer",
      by: "10.0.0.1",
      reason: "bad\u001B[31m",
      time: "2026-01-01T00:00:00.000Z",
    },
  ],
};

const FAILED: QuotaPolicyState = {
  ...POLICY,
  policy: "away",
  mode: "enforce",
  shared: false,
  overrides: [],
  counts: [],
  adjustments: [],
  error: { code: "PURSER_STORE_UNAVAILABLE", message: "redis failed" },
};

describe("the report on quotas", () => {
  it("is a table for people", () => {
    const listing: QuotaListing = { policies: [POLICY, FAILED], cursor: "x" };
    assert.equal(
      listText(listing, STYLE),
      `per-user  1,000 per 1m, fixed-window; overrides 5,000; in shadow; store redis, shared
  USED  LIMIT  REMAINING  RESETS IN  KEY
   900  1,000        100      1m30s  user=ann port:=80
     7  1,000        993      400ms  per-user{#3} (a count that several keys share)
  raised to 2,000  (no key)  2h5m left, all mixers of the store, by 10.0.0.1: launch
  blocked  user:="a b"  2d2h left, this mixer alone, by 10.0.0.1: bad\\u001b[31m

away  1,000 per 1m, fixed-window; store redis
  redis failed [PURSER_STORE_UNAVAILABLE]

There are more counts: raise --limit, or name a --policy.
`,
    );
    assert.match(listText({ policies: [] }, STYLE), /^No QuotaPolicy is in force/);
    const { error: _, ...unused } = FAILED;
    assert.match(listText({ policies: [unused] }, STYLE), /no count is in use/);
  });

  it("is a record on each line for programs", () => {
    assert.equal(
      listText({ policies: [POLICY, FAILED] }, undefined),
      [
        'count\tper-user\t{"user":"ann","port":80}\t900\t1000\t100\t90400',
        "count\tper-user\tper-user{#3}\t7\t1000\t993\t400",
        "raise\tper-user\t{}\t2000\t7500000\tstore\t10.0.0.1\tlaunch",
        'block\tper-user\t{"user":"a b"}\t0\t180000000\tmixer\t10.0.0.1\tbad\\u001b[31m',
        "error\taway\tPURSER_STORE_UNAVAILABLE\tredis failed",
        "",
      ].join("\n"),
    );
  });

  it("shows the largest keys with the bounds of each", () => {
    const empty = { total: 0, overAtMost: 0, entries: [] };
    const charged = {
      total: 4_000,
      overAtMost: 40,
      entries: [{ key: 'per-user{"user":"ann"}', amount: 1_500, over: 20 }],
    };
    const refused = { total: 4, overAtMost: 0, entries: [{ key: "other", amount: 4, over: 0 }] };
    const listing: TopListing = {
      policies: [
        {
          policy: "per-user",
          periods: [
            { agoMs: 65_000, current: true, charged, refused: empty },
            { agoMs: 3_665_000, current: false, charged: empty, refused },
          ],
        },
      ],
    };
    assert.equal(
      topText(listing, STYLE),
      `per-user  amounts granted, since 1m5s ago
  AT MOST  AT LEAST   SHARE  KEY
    1,500     1,480  37.5 %  {"user":"ann"}
  of 4,000 in all; no key is overestimated by more than 40

per-user  refusals, the hour that began 1h1m ago
  AT MOST  AT LEAST    SHARE  KEY
        4         4  100.0 %  other
  of 4 in all; exact
`,
    );
    assert.equal(
      topText(listing, undefined),
      'charged\tper-user\tper-user{"user":"ann"}\t1500\t20\t65000\nrefused\tper-user\tother\t4\t0\t3665000\n',
    );
    assert.match(topText({ policies: [] }, STYLE), /^Nothing was charged/);
  });

  it("shows the changes, and says what each one did", () => {
    const entry: AuditEntry = {
      time: "2026-01-01T00:00:00.000Z",
      action: "raise",
      policy: "per-user",
      key: { user: "ann" },
      by: "10.0.0.1",
      reason: "launch",
      limit: 2_000,
      forMs: 7_200_000,
      changed: true,
      keptIn: "store",
    };
    const { limit: _, forMs: __, ...plain } = entry;
    const none: AuditEntry = { ...plain, action: "end-block", changed: false, keptIn: "mixer" };
    assert.equal(
      auditText({ entries: [entry, none], forgotten: 2 }, STYLE),
      `TIME                      ACTION     QUOTA                                BY        REASON
2026-01-01T00:00:00.000Z  raise      per-user user=ann (to 2,000 for 2h)  10.0.0.1  launch
2026-01-01T00:00:00.000Z  end-block  per-user user=ann (nothing to change)  10.0.0.1  launch
2 older changes are only in the mixer's log
`
        .replace("QUOTA                                BY", "QUOTA                                  BY")
        .replace("for 2h)  10", "for 2h)    10"),
    );
    assert.match(auditText({ entries: [], forgotten: 0 }, STYLE), /^No quota has been changed/);
    assert.equal(
      changeText(none, undefined),
      '2026-01-01T00:00:00.000Z\tend-block\tper-user\t{"user":"ann"}\t\t\tfalse\tmixer\t10.0.0.1\tlaunch\n',
    );
    const texts = [
      entry,
      { ...entry, action: "block", keptIn: "mixer" },
      { ...plain, action: "reset" },
      { ...plain, action: "reset", changed: false },
      { ...plain, action: "end-raise" },
      { ...plain, action: "end-raise", changed: false },
      { ...plain, action: "end-block" },
      none,
    ].map((one) => changeText(one as AuditEntry, STYLE));
    assert.deepEqual(
      texts.map((text) => text.replace("per-user user=ann: ", "").trim()),
      [
        "raised to 2,000 for 2h, for all mixers of its store.",
        "blocked for 2h, at this mixer alone. Leases that proxies hold end within the policy's lease.",
        "what was used is forgotten.",
        "nothing was used.",
        "the raise has ended.",
        "there was no raise.",
        "the block has ended.",
        "there was no block.",
      ],
    );
  });
});
