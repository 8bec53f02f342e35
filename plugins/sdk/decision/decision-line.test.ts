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

  it("gives an invalid time and an absent id a form", () => {
    const line = lineOf(decisionInstance({ bag: {}, timestampMs: Number.NaN }));
    assert.equal(line.time, "1970-01-01T00:00:00.000Z");
    assert.equal(Object.hasOwn(line, "id"), false);
  });
});
