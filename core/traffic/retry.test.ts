// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import type { RetryCondition, RetryPolicy } from "./resources/route.ts";
import {
  DEFAULT_RETRY_POLICY,
  isIdempotent,
  isRetriable,
  NO_RETRIES,
  parseRetryOn,
  retryPauseMs,
  RETRY_WORDS,
  type TryOutcome,
} from "./retry.ts";

const NO_ANSWER: readonly TryOutcome[] = [
  { kind: "connect-failure" },
  { kind: "refused-stream" },
  { kind: "reset" },
  { kind: "per-try-timeout" },
];
const response = (status: number, grpcStatus?: number): TryOutcome => ({
  kind: "response",
  status,
  ...(grpcStatus === undefined ? {} : { grpcStatus }),
});
const on = (...conditions: RetryCondition[]): RetryPolicy => ({ ...NO_RETRIES, retries: 1, on: conditions });

describe("retries", () => {
  it("follow each condition as Envoy defines it", () => {
    const cases: readonly (readonly [
      RetryCondition,
      yes: readonly TryOutcome[],
      no: readonly TryOutcome[],
    ])[] = [
      ["connect-failure", [NO_ANSWER[0] as TryOutcome], [...NO_ANSWER.slice(1), response(503)]],
      ["reset-before-request", [{ kind: "connect-failure" }], [...NO_ANSWER.slice(1), response(503)]],
      [
        "envoy-ratelimited",
        [{ kind: "response", status: 429, rateLimited: true }],
        [response(429), { kind: "response", status: 429, rateLimited: false }, ...NO_ANSWER],
      ],
      ["refused-stream", [NO_ANSWER[1] as TryOutcome], [{ kind: "reset" }, response(503)]],
      ["reset", NO_ANSWER, [response(500)]],
      [
        "gateway-error",
        [...NO_ANSWER, response(502), response(503), response(504)],
        [response(500), response(501)],
      ],
      ["5xx", [...NO_ANSWER, response(500), response(599)], [response(499), response(600)]],
      ["retriable-4xx", [response(409)], [response(404), response(429), ...NO_ANSWER]],
      ["unavailable", [response(200, 14)], [response(200, 1), response(503)]],
      ["cancelled", [response(200, 1)], [response(200, 14), response(499)]],
      ["deadline-exceeded", [response(200, 4)], [response(200, 14), response(504)]],
      ["internal", [response(200, 13)], [response(200, 2), response(500)]],
      ["resource-exhausted", [response(200, 8)], [response(200, 9), response(429)]],
    ];
    for (const [condition, yes, no] of cases) {
      for (const outcome of yes)
        assert.ok(isRetriable(outcome, on(condition), "GET"), `${condition} ${JSON.stringify(outcome)}`);
      for (const outcome of no)
        assert.ok(!isRetriable(outcome, on(condition), "GET"), `${condition} ${JSON.stringify(outcome)}`);
    }
  });

  it("by default repeat requests after connection failures and 503, not after resets or timeouts", () => {
    assert.ok(isRetriable({ kind: "connect-failure" }, DEFAULT_RETRY_POLICY, "GET"));
    assert.ok(isRetriable(response(503), DEFAULT_RETRY_POLICY, "GET"));
    assert.ok(!isRetriable({ kind: "reset" }, DEFAULT_RETRY_POLICY, "GET"));
    assert.ok(!isRetriable({ kind: "per-try-timeout" }, DEFAULT_RETRY_POLICY, "GET"));
    assert.ok(!isRetriable(response(500), DEFAULT_RETRY_POLICY, "GET"));
    assert.ok(!isRetriable(response(503), NO_RETRIES, "GET"));
  });

  it("by default never retry a method that is not idempotent, unless nothing was processed", () => {
    const responses = fc
      .tuple(
        fc.integer({ min: 200, max: 599 }),
        fc.option(fc.integer({ min: 0, max: 16 }), { nil: undefined }),
      )
      .map(([status, grpcStatus]) => response(status, grpcStatus));
    const methods = fc.oneof(
      fc.constantFrom("POST", "PATCH", "CONNECT", "LOCK", "get", "Put"),
      fc.stringMatching(/^[A-Z]{3,9}$/).filter((method) => !isIdempotent(method)),
    );
    const conditions = fc.subarray(RETRY_WORDS.slice());
    fc.assert(
      fc.property(
        fc.oneof(fc.constantFrom(...NO_ANSWER), responses),
        methods,
        conditions,
        (outcome, method, words) => {
          const { on, onStatuses } = parseRetryOn([...words, "503", "500"].join(","));
          const policy = { ...DEFAULT_RETRY_POLICY, on, onStatuses };
          const nothingDone = outcome.kind === "connect-failure" || outcome.kind === "refused-stream";
          if (!nothingDone) assert.ok(!isRetriable(outcome, policy, method));
          // Without idempotentOnly, a named condition is retried for every method.
          const written = { ...policy, idempotentOnly: false };
          assert.equal(isRetriable(outcome, written, method), isRetriable(outcome, policy, "GET"));
        },
      ),
    );
  });

  it("parse conditions and codes, and return unknown words", () => {
    assert.deepEqual(parseRetryOn("5xx, connect-failure,409,retriable-status-codes,conect-failure,99"), {
      on: ["5xx", "connect-failure"],
      onStatuses: [409],
      unknown: ["conect-failure", "99"],
    });
  });

  it("wait up to a bound that doubles and stops at the maximum", () => {
    const policy = { backoffBaseMs: 25, backoffMaxMs: 250 };
    const bounds = [1, 2, 3, 4, 5, 2000].map((retry) =>
      retryPauseMs(retry, policy, () => 1 - Number.EPSILON),
    );
    assert.deepEqual(bounds.map(Math.ceil), [25, 75, 175, 250, 250, 250]);
    assert.equal(
      retryPauseMs(3, policy, () => 0),
      0,
    );
    assert.equal(
      retryPauseMs(2, policy, () => 0.5),
      37.5,
    );
  });
});
