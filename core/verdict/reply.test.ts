// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { charge, outcome } from "../../test/support/quota-charges.ts";
import type { Decision } from "../check/decision.ts";
import type { QuotaCharge, QuotaOutcome } from "../quota/quota-charge.ts";
import { applyHeaderOperations } from "./header-operations.ts";
import { isForwarded, httpStatusOfDecision, type Reply, replyOf } from "./reply.ts";
import { undecidedVerdict, verdictOf } from "./verdict-of.ts";
import { undecidedOutcome } from "./verdict-outcome.ts";

const OK = { code: "OK", message: "" } as const;
const DENIED = { code: "PERMISSION_DENIED", message: "no guests" } as const;
const GUESTS = { kind: "AccessPolicy", name: "guests" } as const;

function decision(fields: Partial<Decision> = {}): Decision {
  return {
    status: OK,
    requestHeaders: [],
    responseHeaders: [],
    validDurationMs: 0,
    validUseCount: 1,
    referenced: [],
    shadowDenials: [],
    audits: [],
    charges: [],
    ...fields,
  };
}

/** The reply to a request that two quotas govern, by the outcomes that their stores gave. */
function replyAfter(
  charges: readonly QuotaCharge[],
  outcomes: readonly QuotaOutcome[],
): { readonly reply: Reply | undefined; readonly shadowDenials: readonly unknown[] } {
  const verdict = verdictOf(decision({ charges }), outcomes);
  return { reply: replyOf(verdict), shadowDenials: verdict.shadowDenials };
}

describe("the reply of a verdict", () => {
  it("is none for a request that goes on", () => {
    const verdict = verdictOf(decision(), []);
    assert.ok(isForwarded(verdict));
    assert.equal(replyOf(verdict), undefined);
    assert.equal(httpStatusOfDecision(decision()), 200);
  });

  it("names the document that denies, over HTTP and gRPC", () => {
    const refused = decision({ status: DENIED, reason: { kind: "policy" }, decidedBy: GUESTS });
    assert.deepEqual(replyOf(verdictOf(refused, [])), {
      httpStatus: 403,
      headers: [["x-purser-policy", "AccessPolicy/guests"]],
      body: {
        kind: "problem",
        problem: {
          type: "about:blank",
          title: "Forbidden",
          status: 403,
          detail: "no guests",
          policy: "AccessPolicy/guests",
        },
      },
      grpc: {
        ...DENIED,
        details: [
          {
            type: "google.rpc.ErrorInfo",
            reason: "DENIED_BY_POLICY",
            domain: "purser.dev",
            metadata: { policy: "AccessPolicy/guests" },
          },
        ],
      },
    });
    assert.equal(httpStatusOfDecision(refused), 403);
  });

  it("is an internal error where a refusal names no document", () => {
    const reply = replyOf(verdictOf(decision({ status: DENIED }), []));
    assert.equal(reply?.httpStatus, 500);
    assert.deepEqual(reply?.headers, [["x-purser-error", "PURSER_INTERNAL"]]);
    assert.equal(reply?.grpc.code, "INTERNAL");
  });

  it("never has a denial's status for an error, but tells a sender of its own mistake", () => {
    const statusOf = (status: Decision["status"]) =>
      replyOf(
        verdictOf(
          decision({
            status,
            reason: { kind: "error", code: "PURSER_EXPR_EVALUATION", detail: "" },
            decidedBy: GUESTS,
          }),
          [],
        ),
      )?.httpStatus;
    assert.equal(statusOf(DENIED), 503);
    assert.equal(statusOf({ code: "INTERNAL", message: "" }), 500);
    assert.equal(statusOf({ code: "INVALID_ARGUMENT", message: "" }), 400);
  });

  it("has a policy's own response, whose Content-Type is the body's", () => {
    const directResponse = {
      httpStatus: 410,
      headers: { "Content-Type": "text/html", "X-Why": "moved" },
      body: "gone",
    };
    const reply = replyOf(
      verdictOf(
        decision({ status: DENIED, reason: { kind: "policy" }, decidedBy: GUESTS, directResponse }),
        [],
      ),
    );
    assert.equal(reply?.httpStatus, 410);
    assert.deepEqual(reply?.headers, [
      ["x-purser-policy", "AccessPolicy/guests"],
      ["x-why", "moved"],
    ]);
    assert.deepEqual(reply?.body, { kind: "text", contentType: "text/html", text: "gone" });
    const empty = { httpStatus: 204, headers: {}, body: "" };
    assert.deepEqual(replyOf(verdictOf(decision({ directResponse: empty }), []))?.body, { kind: "empty" });
  });

  it("says which quota is used up, when to retry, and how all quotas stand", () => {
    const { reply } = replyAfter(
      [charge("daily"), charge("burst")],
      [outcome("daily", { granted: 0 }), outcome("burst", { granted: 0, remaining: 0, retryAfterMs: 1_500 })],
    );
    assert.equal(reply?.httpStatus, 429);
    const headers = new Map(reply?.headers);
    assert.equal(headers.get("retry-after"), "2");
    assert.equal(headers.get("x-purser-policy"), "QuotaPolicy/burst");
    assert.match(headers.get("ratelimit-policy") ?? "", /daily.*burst/);
    assert.ok(reply?.body.kind === "problem" && reply.body.problem.type.endsWith("#quota-exceeded"));
    assert.deepEqual(
      reply?.grpc.details.map(({ type }) => type),
      ["google.rpc.ErrorInfo", "google.rpc.RetryInfo", "google.rpc.QuotaFailure"],
    );
  });

  it("tells a store's failure from a used-up quota", () => {
    const failure = { code: "PURSER_STORE_UNAVAILABLE", applied: "deny" } as const;
    const { reply } = replyAfter([charge("daily")], [outcome("daily", { granted: 0, failure })]);
    assert.equal(reply?.httpStatus, 503);
    assert.deepEqual(reply?.headers.slice(0, 2), [
      ["x-purser-error", "PURSER_STORE_UNAVAILABLE"],
      ["x-purser-policy", "QuotaPolicy/daily"],
    ]);
  });

  it("is none where only a shadow quota would refuse, which the verdict notes", () => {
    const { reply, shadowDenials } = replyAfter(
      [charge("daily", { mode: "shadow" })],
      [outcome("daily", { granted: 0, retryAfterMs: 10 })],
    );
    assert.equal(reply, undefined);
    assert.deepEqual(shadowDenials, [{ kind: "QuotaPolicy", name: "daily" }]);
  });

  it("exists without a decision", () => {
    const verdict = undecidedVerdict(undecidedOutcome("PURSER_MIXER_UNAVAILABLE", undefined));
    assert.equal(replyOf(verdict)?.httpStatus, 503);
    assert.deepEqual(replyOf(verdict)?.headers, [["x-purser-error", "PURSER_MIXER_UNAVAILABLE"]]);
  });
});

describe("header operations on a reply", () => {
  it("set, append and remove, and leave framing headers and single values alone", () => {
    const before = [
      ["content-type", "text/plain"],
      ["vary", "accept"],
      ["x-old", "1"],
    ] as const;
    const after = applyHeaderOperations(before, [
      { operation: "append", name: "vary", value: "origin" },
      { operation: "append", name: "content-type", value: "text/html" },
      { operation: "set", name: "x-new", value: "2" },
      { operation: "remove", name: "x-old" },
      { operation: "set", name: "content-length", value: "0" },
    ]);
    assert.deepEqual(after, [
      ["vary", "accept"],
      ["vary", "origin"],
      ["content-type", "text/html"],
      ["x-new", "2"],
    ]);
  });
});
