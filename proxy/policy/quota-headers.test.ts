// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import { decodeStatus } from "../../adapters/opentelemetry/rpc-status.ts";
import type { QuotaStanding } from "../../core/quota/standing.ts";
import type { RateLimitSettings } from "../../kernel/rate-limit-settings.ts";
import { ALLOW, call, cleanUp, groupOf, raw, startWith, until } from "../testing/harness.test.ts";
import { describeTransports } from "../testing/transports.test.ts";
import type { CheckResult } from "./check-result.ts";

const USER: QuotaStanding = { policy: "user", limit: 100, windowMs: 60_000, remaining: 7, resetMs: 41_200 };
const DAILY: QuotaStanding = {
  policy: "daily",
  limit: 1_000,
  windowMs: 86_400_000,
  remaining: 500,
  resetMs: 5_000,
};
const SETTINGS: RateLimitSettings = { forms: ["RATELIMIT"], upstream: "MERGE", quotaState: false };

const LIMITED: CheckResult = {
  ...ALLOW,
  outcome: {
    kind: "limit",
    status: { code: "RESOURCE_EXHAUSTED", message: "50 % too many" },
    decidedBy: { kind: "QuotaPolicy", name: "user" },
    retryAfterMs: 1_200,
  },
  quotas: [{ ...USER, remaining: 0 }],
  quotaState: "leased",
};

describeTransports("response headers about quotas", () => {
  afterEach(cleanUp);

  /** The headers about quotas of a response of an upstream that sends `theirs`. */
  async function headersAfter(
    settings: Partial<RateLimitSettings> | undefined,
    theirs: OutgoingHttpHeaders = {},
    result: CheckResult = { ...ALLOW, quotas: [USER, DAILY], quotaState: "leased" },
  ): Promise<IncomingHttpHeaders> {
    const listener = settings === undefined ? {} : { rateLimitHeaders: { ...SETTINGS, ...settings } };
    const { port, policy } = await startWith(
      (_, outgoing) => {
        for (const [name, value] of Object.entries(theirs)) outgoing.setHeader(name, value as string);
        outgoing.end();
      },
      { listener },
    );
    policy.decide = () => result;
    const { headers } = await call(port);
    return Object.fromEntries(Object.entries(headers).filter(([name]) => /ratelimit|quota|retry/.test(name)));
  }

  const OURS = {
    "ratelimit-policy": '"user";q=100;w=60, "daily";q=1000;w=86400',
    ratelimit: '"user";r=7;t=42, "daily";r=500;t=5',
  };

  it("have the newest form by default, and when it is named", async () => {
    assert.deepEqual(await headersAfter(undefined), OURS);
    assert.deepEqual(await headersAfter({}), OURS);
  });

  it("are none when no form is named, or no quota applies", async () => {
    assert.deepEqual(await headersAfter({ forms: [] }), {});
    assert.deepEqual(await headersAfter({ forms: ["RATELIMIT", "X_RATELIMIT"] }, {}, ALLOW), {});
    assert.deepEqual(await headersAfter({ forms: ["RATELIMIT_DRAFT_7"], quotaState: true }, {}, ALLOW), {});
  });

  it("have the unit of a quota in bytes", async () => {
    const quotas = [{ ...USER, unit: "content-bytes" as const }];
    assert.deepEqual(await headersAfter({}, {}, { ...ALLOW, quotas }), {
      "ratelimit-policy": '"user";q=100;qu="content-bytes";w=60',
      ratelimit: '"user";r=7;t=42',
    });
  });

  it("have several forms at once, for forwarded and for refused requests", async () => {
    const forms = ["RATELIMIT_DRAFT_7", "X_RATELIMIT"] as const;
    assert.deepEqual(await headersAfter({ forms, quotaState: true }), {
      "ratelimit-policy": "100;w=60, 1000;w=86400",
      ratelimit: "limit=100, remaining=7, reset=42",
      "x-ratelimit-limit": "100",
      "x-ratelimit-remaining": "7",
      "x-ratelimit-reset": "42",
      "x-purser-quota-state": "leased",
    });
    assert.deepEqual(await headersAfter({ forms, quotaState: true }, {}, LIMITED), {
      "retry-after": "2",
      "ratelimit-policy": "100;w=60",
      ratelimit: "limit=100, remaining=0, reset=2",
      "x-ratelimit-limit": "100",
      "x-ratelimit-remaining": "0",
      "x-ratelimit-reset": "2",
      "x-purser-quota-state": "leased",
    });
  });

  it("are joined with the upstream's lists, ours first", async () => {
    const theirs = { "RateLimit-Policy": '"db";q=10', RateLimit: ['"db";r=1', '"user";r=99;t=1'] } as const;
    assert.deepEqual(await headersAfter({}, theirs as unknown as OutgoingHttpHeaders), {
      "ratelimit-policy": `${OURS["ratelimit-policy"]}, "db";q=10`,
      ratelimit: `${OURS.ratelimit}, "db";r=1`,
    });
    assert.deepEqual(
      await headersAfter({ upstream: "REPLACE" }, theirs as unknown as OutgoingHttpHeaders),
      OURS,
    );
  });

  it("replace an upstream's fields that are no lists", async () => {
    const theirs = { "RateLimit-Policy": "100;w=60", RateLimit: "limit=100, remaining=1, reset=1" };
    assert.deepEqual(await headersAfter({}, theirs), OURS);
  });

  it("leave an upstream's fields alone in other forms, and without a quota", async () => {
    const theirs = { "x-ratelimit-limit": "5", "x-ratelimit-remaining": "4", "x-ratelimit-reset": "1" };
    assert.deepEqual(await headersAfter({}, theirs), { ...OURS, ...theirs });
    assert.deepEqual(await headersAfter({ forms: ["X_RATELIMIT"] }, theirs, ALLOW), theirs);
  });

  it("about one quota are the stricter ones of the upstream and ours", async () => {
    const ours = { "x-ratelimit-limit": "100", "x-ratelimit-remaining": "7", "x-ratelimit-reset": "42" };
    const stricter = { "x-ratelimit-limit": "5", "x-ratelimit-remaining": "4", "x-ratelimit-reset": "1" };
    const forms = ["X_RATELIMIT"] as const;
    assert.deepEqual(await headersAfter({ forms }, stricter), stricter);
    assert.deepEqual(await headersAfter({ forms }, { ...stricter, "x-ratelimit-remaining": "8" }), ours);
    assert.deepEqual(await headersAfter({ forms }, { "x-ratelimit-remaining": "1" }), ours);
    assert.deepEqual(await headersAfter({ forms, upstream: "REPLACE" }, stricter), ours);
    const draft7 = { "ratelimit-policy": "9;w=1", ratelimit: "limit=9, remaining=3, reset=1" };
    assert.deepEqual(await headersAfter({ forms: ["RATELIMIT_DRAFT_7"] }, draft7), {
      "ratelimit-policy": "100;w=60, 1000;w=86400, 9;w=1",
      ratelimit: "limit=9, remaining=3, reset=1",
    });
    assert.deepEqual(await headersAfter({ forms: ["RATELIMIT_DRAFT_7"], upstream: "REPLACE" }, draft7), {
      "ratelimit-policy": "100;w=60, 1000;w=86400",
      ratelimit: "limit=100, remaining=7, reset=42",
    });
  });

  it("replace an upstream's claim about our quotas' state", async () => {
    const theirs = { "x-purser-quota-state": "exact" };
    const state = (await headersAfter({ quotaState: true }, theirs))["x-purser-quota-state"];
    assert.equal(state, "leased");
  });
});

describeTransports("a refusal of a gRPC request", () => {
  afterEach(cleanUp);

  const refusedBy = async (result: CheckResult, contentType: string) => {
    const rig = await startWith((_, outgoing) => outgoing.end());
    rig.policy.decide = () => result;
    const reply = await call(rig.port, { method: "POST", headers: { "content-type": contentType } });
    return { ...reply, policy: rig.policy };
  };

  it("by a quota is 200 with RESOURCE_EXHAUSTED, RetryInfo and QuotaFailure", async () => {
    const { status, headers, body, policy } = await refusedBy(LIMITED, "application/grpc");
    assert.equal(status, 200);
    assert.equal(body, "");
    assert.equal(headers["content-type"], "application/grpc");
    assert.equal(headers["grpc-status"], "8");
    assert.equal(headers["grpc-message"], "50 %25 too many");
    assert.equal(headers["retry-after"], "2");
    assert.equal(headers["ratelimit"], '"user";r=0;t=2');
    const bytes = Buffer.from(String(headers["grpc-status-details-bin"]), "base64");
    assert.deepEqual(decodeStatus(bytes), { message: "50 % too many", retryDelayMs: 1_200 });
    for (const text of ["google.rpc.QuotaFailure", "QuotaPolicy/user", "QUOTA_EXCEEDED"])
      assert.ok(bytes.includes(text), text);
    await until(() => policy.reports.length === 1);
    const response = groupOf(policy.reports, "response");
    assert.deepEqual([response["code"], response["flags"], response["grpc_status"]], [200, "RL", "8"]);
    assert.deepEqual(policy.reports[0]?.["quota"], { cache_hit: false, state: "leased" });
    assert.equal(groupOf(policy.reports, "check")["error_code"], 8);
  });

  it("by a policy is 200 with the policy's status, in the request's own format", async () => {
    const denied: CheckResult = {
      ...ALLOW,
      outcome: {
        kind: "deny",
        status: { code: "PERMISSION_DENIED", message: "no" },
        decidedBy: { kind: "AccessPolicy", name: "p" },
      },
    };
    for (const [contentType, answered] of [
      ["application/grpc+proto", "application/grpc+proto"],
      ["Application/gRPC-Web-Text; charset=utf-8", "application/grpc-web-text"],
    ] as const) {
      const { status, headers } = await refusedBy(denied, contentType);
      assert.equal(status, 200);
      assert.equal(headers["content-type"], answered);
      assert.equal(headers["grpc-status"], "7");
      assert.equal(headers["x-purser-policy"], "AccessPolicy/p");
      await cleanUp();
    }
  });

  it("is an HTTP refusal for other content types", async () => {
    for (const contentType of ["application/grpcs", "application/json", "application/grpc/x", "text/grpc"]) {
      const { status, headers } = await refusedBy(LIMITED, contentType);
      assert.equal(status, 429, contentType);
      assert.equal(headers["grpc-status"], undefined);
      await cleanUp();
    }
  });

  it("is written with a message of any characters", async () => {
    const rig = await startWith((_, outgoing) => outgoing.end());
    rig.policy.decide = () =>
      LIMITED.outcome.kind !== "limit"
        ? LIMITED
        : {
            ...LIMITED,
            outcome: { ...LIMITED.outcome, status: { code: "RESOURCE_EXHAUSTED", message: "é\r\n: x" } },
          };
    const received = await raw(
      rig.port,
      "POST / HTTP/1.1\r\nhost: a\r\ncontent-type: application/grpc\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    );
    assert.match(
      received,
      /^HTTP\/1\.1 200 [^]*\r\ngrpc-message: %C3%A9%0D%0A: x\r\n[^]*content-length: 0\r\n/,
    );
  });
});
