// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { logRecord } from "../../test/support/log-records.ts";
import {
  accessPolicy,
  computed,
  expression,
  metric,
  quotaPolicy,
  snapshotOf,
} from "../../test/support/snapshots.ts";
import { valueAt } from "../attributes/bag.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import type { DecisionLogLine } from "./log-line.ts";
import { Replay } from "./replay.ts";
import { ReplaySet } from "./replay-set.ts";

const NO_HANDLERS = { attributeSources: [], ask: () => assert.fail("no rule asks") };

const setOf = (documents: Partial<Snapshot>): ReplaySet => new ReplaySet(snapshotOf(documents), NO_HANDLERS);

const methodIs = (method: string) => expression((bag) => valueAt(bag, ["request", "method"]) === method);

const denying = (method: string) =>
  setOf({ accessPolicies: [accessPolicy("no", { when: methodIs(method) })] });

const call = (method: string, id: string) => ({ request: { id, method, host: "shop", url_path: "/a" } });

const REFUSED: DecisionLogLine["decision"] = {
  checked: true,
  allowed: false,
  code: "PERMISSION_DENIED",
  policy: "AccessPolicy/old",
  shadowDenials: [],
  audits: [],
};

describe("a replay", () => {
  it("counts differences from the recording by deciding document, with examples", async () => {
    const replay = new Replay({ candidate: denying("POST"), maxExamples: 1 });
    await replay.take(logRecord(call("GET", "1"), { sampled: 0.1 }));
    for (const id of ["2", "3"]) await replay.take(logRecord(call("POST", id), { id, sampled: 0.1 }));
    await replay.take(logRecord(call("DELETE", "4"), { decision: REFUSED }));
    const { requests, unchanged, changes, against } = replay.report(0);
    assert.deepEqual(
      [against, requests, unchanged],
      ["recording", { observed: 4, estimated: 31 }, { observed: 1, estimated: 10 }],
    );
    const [denied, allowed, ...others] = changes;
    assert.deepEqual([denied?.change, denied?.observed, denied?.estimated], ["newly-denied", 2, 20]);
    assert.deepEqual(denied?.policies, [
      {
        policy: "AccessPolicy/no",
        observed: 2,
        estimated: 20,
        examples: [
          {
            where: "log:1",
            id: "2",
            time: "2026-01-01T00:00:00.000Z",
            request: "POST shop/a",
            before: { kind: "allowed", code: "OK" },
            after: {
              kind: "denied",
              code: "PERMISSION_DENIED",
              policy: "AccessPolicy/no",
              message: "denied by no",
            },
            unreliable: [],
          },
        ],
      },
    ]);
    assert.deepEqual([allowed?.observed, allowed?.policies[0]?.policy], [1, "AccessPolicy/old"]);
    assert.ok(others.every(({ observed }) => observed === 0));
  });

  it("compares with a baseline if given, instead of the recording", async () => {
    const replay = new Replay({ candidate: denying("POST"), baseline: denying("GET"), maxExamples: 3 });
    for (const method of ["GET", "POST", "PUT"])
      await replay.take(logRecord(call(method, method), { decision: REFUSED }));
    const { changes, unchanged } = replay.report(0);
    assert.deepEqual(
      changes.filter(({ observed }) => observed > 0).map(({ change }) => change),
      ["newly-denied", "newly-allowed"],
    );
    assert.equal(unchanged.observed, 1);
  });

  it("reports faults, and the decisions that they change", async () => {
    const fails = expression(() => {
      throw new Error("boom");
    });
    const policies = [
      accessPolicy("lenient", { when: fails, onError: "allow" }),
      accessPolicy("strict", { when: fails }),
    ];
    const replay = new Replay({ candidate: setOf({ accessPolicies: policies }), maxExamples: 1 });
    await replay.take(logRecord());
    const { faults, changes } = replay.report(0);
    assert.deepEqual(
      faults.map(({ name }) => name),
      ["AccessPolicy/lenient: boom", "AccessPolicy/strict: boom"],
    );
    assert.equal(
      changes.find(({ change }) => change === "faults")?.policies[0]?.policy,
      "AccessPolicy/strict",
    );
  });

  it("decides at the time of the request", async () => {
    const times: number[] = [];
    const seesTime = {
      ...expression(() => false),
      evaluate: (_bag: unknown, { nowMs }: { readonly nowMs: number }) => {
        times.push(nowMs);
        return false;
      },
    };
    const replay = new Replay({
      candidate: setOf({ accessPolicies: [accessPolicy("no", { when: seesTime })] }),
      maxExamples: 1,
    });
    await replay.take(logRecord({ request: { time: "2026-01-01T00:00:05.000Z" } }));
    assert.deepEqual(times, [Date.UTC(2026, 0, 1, 0, 0, 5)]);
  });

  it("compares only the metrics of an unchecked request", async () => {
    const code = computed((bag) => valueAt(bag, ["response", "code"]));
    const candidate = setOf({
      accessPolicies: [accessPolicy("no")],
      metrics: [metric("calls", { labels: [["code", code]] })],
    });
    const replay = new Replay({ candidate, maxExamples: 1 });
    const decision = { ...logRecord().line.decision, checked: false };
    await replay.take(logRecord({ request: {}, response: { code: 200 } }, { decision }));
    const { unchecked, changes, series } = replay.report(0);
    assert.equal(unchecked.observed, 1);
    assert.ok(changes.every(({ observed }) => observed === 0));
    assert.deepEqual([series[0]?.metric, series[0]?.series], ["calls", 1]);
  });

  it("compares quotas with their refusals before", async () => {
    const candidate = setOf({ quotaPolicies: [quotaPolicy("q", { limit: 1 })] });
    const replay = new Replay({ candidate, maxExamples: 1 });
    await replay.take(logRecord());
    await replay.take(logRecord());
    const decision = {
      ...REFUSED,
      code: "RESOURCE_EXHAUSTED",
      policy: "QuotaPolicy/q",
    } satisfies typeof REFUSED;
    await replay.take(logRecord(undefined, { decision }));
    const { quotas, unchanged } = replay.report(5);
    assert.deepEqual([quotas[0]?.refused.observed, quotas[0]?.refusedBefore.observed], [2, 1]);
    assert.equal(unchanged.observed, 3);
  });

  it("names redacted attributes that decisions read", async () => {
    const cookie = expression((bag) => valueAt(bag, ["request", "headers", "cookie"]) === "x");
    const replay = new Replay({
      candidate: setOf({ accessPolicies: [accessPolicy("no", { when: cookie })] }),
      maxExamples: 1,
    });
    const bag = { request: { headers: { cookie: "[redacted]" } } };
    await replay.take(logRecord(bag, { redacted: ["request.headers.cookie"], sampled: 0.5 }));
    assert.deepEqual(replay.report(0).unreliable, [
      { attribute: "request.headers.cookie", reason: "redacted", observed: 1, estimated: 2 },
    ]);
  });
});
