// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import Value from "typebox/value";
import { DECISION_LOG_LINE } from "../../../core/replay/log-line.ts";
import { decisionInstance } from "../testing/index.ts";
import { createDecisionLine } from "./decision-line.ts";

describe("the line of a decision", () => {
  const lineOf = createDecisionLine({ redact: ["request.headers.x-session"], hash: [], hashKey: "" });

  it("matches the schema, redacts credentials, and leaves the bag as it was", () => {
    const headers = { authorization: "Bearer secret", "x-session": "secret", "x-user": "zoë" };
    const bag = { request: { id: "a1", headers } };
    const line = lineOf(decisionInstance({ bag }), 0.5);
    assert.ok(Value.Check(DECISION_LOG_LINE, line), JSON.stringify(line));
    assert.equal(line.sampled, 0.5);
    assert.equal(line.id, "a1");
    assert.deepEqual(line.redacted, ["request.headers.authorization", "request.headers.x-session"]);
    assert.doesNotMatch(JSON.stringify(line), /secret/);
    assert.equal(headers.authorization, "Bearer secret");
  });

  it("redacts and hashes the values of repeated headers and query parameters as the parameters themselves", () => {
    const hidden = createDecisionLine({
      redact: ["request.query_params.token"],
      hash: ["request.headers.x-user"],
      hashKey: "0123456789abcdef",
    });
    const request = {
      headers: { cookie: "a=secret; b=secret", "x-user": "secret, secret", via: "a, b" },
      repeated_headers: {
        cookie: ["a=secret", "b=secret"],
        "x-user": ["secret", "secret"],
        via: ["a", "b"],
      },
      query_params: { token: "secret" },
      repeated_query_params: { token: ["secret", "secret"] },
    };
    const line = hidden(decisionInstance({ bag: { request } }));
    assert.doesNotMatch(JSON.stringify(line), /secret/);
    assert.deepEqual(line.redacted, [
      "request.headers.cookie",
      "request.repeated_headers.cookie",
      "request.query_params.token",
      "request.repeated_query_params.token",
    ]);
    assert.deepEqual(line.hashed, ["request.headers.x-user", "request.repeated_headers.x-user"]);
    assert.match(JSON.stringify(line.bag), /"via":\["a","b"\]/);
  });

  it("finds attributes within arrays, as expressions do", () => {
    const format = createDecisionLine({
      redact: ["request.auth.claims.emails.value"],
      hash: ["request.auth.claims.devices.id"],
      hashKey: "0123456789abcdef",
    });
    const claims = {
      emails: [{ value: "secret" }, [{ value: "secret", primary: true }]],
      devices: [{ id: "secret" }],
      groups: ["x".repeat(9_000), "b"],
    };
    const line = format(decisionInstance({ bag: { request: { auth: { claims } } } }));
    assert.doesNotMatch(JSON.stringify(line), /secret/);
    assert.match(JSON.stringify(line), /"primary":true/);
    assert.deepEqual(line.redacted, ["request.auth.claims.emails.value"]);
    assert.deepEqual(line.hashed, ["request.auth.claims.devices.id"]);
    assert.deepEqual(line.cut, ["request.auth.claims.groups"]);
  });

  it("gives an invalid time and an absent id a form", () => {
    const line = lineOf(decisionInstance({ bag: {}, timestampMs: Number.NaN }));
    assert.equal(line.time, "1970-01-01T00:00:00.000Z");
    assert.equal(Object.hasOwn(line, "id"), false);
  });
});
