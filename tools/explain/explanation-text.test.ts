// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { AttributeBag } from "../../core/attributes/bag.ts";
import { planChecks } from "../../core/check/plan.ts";
import { explainDecision } from "../../core/explain/explain-decision.ts";
import { compileWithJsonata, createTracer } from "../../core/expressions/jsonata-engine.ts";
import { accessPolicy, quotaPolicy, snapshotOf } from "../../test/support/snapshots.ts";
import { explanationText } from "./explanation-text.ts";
import { trafficDocuments } from "../../test/support/traffic-documents.ts";
import { atOnce } from "../../kernel/maybe-promise.ts";
import { bagOfRequest, parseWrittenRequest } from "./request-bag.ts";
import { styleOf } from "../terminal.ts";

const FILE = { file: "a.yaml", line: 1, column: 1 };

function expression(source: string) {
  const compiled = compileWithJsonata(source);
  assert.ok(compiled.ok);
  return compiled.expression;
}

async function textOf(bag: AttributeBag, tty: boolean, environment = {}): Promise<string> {
  const policies = [
    accessPolicy("guests", {
      location: FILE,
      when: expression('request.headers."x-user" = "guest" or (request.size > 5 and request.method = "PUT")'),
    }),
    accessPolicy("late", { location: FILE, match: expression('request.method = "POST"') }),
  ];
  const plan = planChecks(snapshotOf({ accessPolicies: policies }));
  const context = { nowMs: 0, dispatch: { attributeSources: [], ask: () => undefined } };
  const { explanation } = await explainDecision(plan, bag, context, { tracer: createTracer() });
  return explanationText(explanation, { all: false, style: styleOf({ isTTY: tty }, environment) });
}

describe("an explanation as text", () => {
  it("aligns values with their sub-expressions and marks the deciding part", async () => {
    const text = await textOf({ request: { method: "GET", headers: { "x-user": "guest" } } }, false);
    assert.equal(
      text,
      `refused: PERMISSION_DENIED (403) by AccessPolicy guests (a.yaml:1:1)
  message: denied by guests

AccessPolicy guests  DENY  refused  a.yaml:1:1  <- decides
  when:
    request.headers."x-user" = "guest" or (request.size > 5 and request.m...  true
      request.headers."x-user" = "guest"                                      true  <- decides
        request.headers."x-user"                                              "guest"
      (request.size > 5 and request.method = "PUT")                           not reached

1 more not matching or not asked (--all shows them)
`,
    );
  });

  it("names the steps beyond a limit after the charge", async () => {
    const beyond = [
      { kind: "queue", atMostMs: 500, length: 9 },
      { kind: "draw", policy: "credit" },
      { kind: "degrade", headers: [{ name: "x-tier", value: "economy" }] },
    ] as const;
    const quotaPolicies = [
      quotaPolicy("all", { limit: 5, windowMs: 1_000, beyond }),
      quotaPolicy("credit", { match: expression("false"), limit: 7, windowMs: 60_000 }),
    ];
    const context = { nowMs: 0, dispatch: { attributeSources: [], ask: () => undefined } };
    const { explanation } = await explainDecision(planChecks(snapshotOf({ quotaPolicies })), {}, context, {
      tracer: createTracer(),
    });
    const text = explanationText(explanation, { all: false, style: styleOf({ isTTY: false }, {}) });
    assert.deepEqual(text.split("\n").slice(0, 5), [
      "allowed",
      "  charges 1 of 5 per 1s to all{}",
      "    beyond the limit: waits at most 0.5 s in a queue of at most 9 requests",
      "    beyond the limit: charges 1 of 7 per 1m to credit{} instead",
      "    beyond the limit: charges nothing and sets x-tier: economy",
    ]);
  });

  it("names the unit of a limit, and no window where there is none", async () => {
    const quota = { policy: "slots", windowMs: 10_000, leaseMs: 0, onStoreFailure: "local" } as const;
    const quotaPolicies = [
      quotaPolicy("slots", {
        limit: 5,
        quota: { ...quota, algorithm: "concurrency", unit: "concurrent-requests" },
      }),
      quotaPolicy("uploads", {
        limit: 900,
        quota: { ...quota, policy: "uploads", algorithm: "sliding-window", unit: "content-bytes" },
      }),
    ];
    const context = { nowMs: 0, dispatch: { attributeSources: [], ask: () => undefined } };
    const { explanation } = await explainDecision(planChecks(snapshotOf({ quotaPolicies })), {}, context, {
      tracer: createTracer(),
    });
    const text = explanationText(explanation, { all: false, style: styleOf({ isTTY: false }, {}) });
    assert.deepEqual(text.split("\n").slice(0, 3), [
      "allowed",
      "  charges 1 of 5 concurrent requests to slots{}",
      "  charges 1 of 900 bytes per 10s to uploads{}",
    ]);
    const [slots] = explanation.decision.charges;
    assert.deepEqual([slots?.windowMs, slots?.unit], [0, "concurrent-requests"]);
  });

  it("is plain outside a terminal, and coloured only on a terminal without NO_COLOR", async () => {
    const bag = { request: { method: "GET", headers: {} } };
    const utf8 = { LANG: "en_GB.UTF-8" };
    assert.ok(!/[^\n\x20-\x7E]/.test(await textOf(bag, false, utf8)));
    const fancy = await textOf(bag, true, utf8);
    assert.ok(fancy.includes("\u001B[32m") && fancy.includes("├ "));
    const plain = await textOf(bag, true, { ...utf8, NO_COLOR: "1" });
    assert.ok(!plain.includes("\u001B") && plain.includes("◀ decides"));
  });
});

describe("a request on the command line", () => {
  const bagOf = (line: string, headers: readonly string[] = []) =>
    atOnce(bagOfRequest(parseWrittenRequest(line, headers), trafficDocuments(""), 0));

  it("becomes the bag that policies read", () => {
    const bag = bagOf("GET http://reviews.shop:9080/a/b?x=1&x=2", ["X-User: ann", "accept:*/*"]);
    assert.deepEqual(bag["destination"], { service: { name: "reviews", host: "reviews.shop" } });
    const request = bag["request"] as Record<string, unknown>;
    const headers = request["headers"] as Record<string, string>;
    assert.deepEqual(
      { host: headers["host"], "x-user": headers["x-user"], accept: headers["accept"] },
      { host: "reviews.shop:9080", "x-user": "ann", accept: "*/*" },
    );
    assert.equal(headers["x-forwarded-for"], "127.0.0.1");
    assert.equal(request["path"], "/a/b?x=1&x=2");
    assert.equal(request["url_path"], "/a/b");
    assert.deepEqual({ ...(request["query_params"] as object) }, { x: "1" });
  });

  it("is refused when it is malformed", () => {
    assert.throws(() => bagOf("http://reviews/"), { code: "PURSER_CLI_USAGE" });
    assert.throws(() => bagOf("GET reviews"), { code: "PURSER_CLI_USAGE" });
    assert.throws(() => bagOf("GET http://reviews/", ["nonsense"]), { code: "PURSER_CLI_USAGE" });
  });
});
