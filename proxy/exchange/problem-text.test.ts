// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { problemDetails, quotaExceededDetails } from "../../core/verdict/problem-details.ts";
import { problemText } from "./problem-text.ts";

describe("the text of problem details", () => {
  it("is the JSON of the problem with the request's id", () => {
    const text = fc.oneof(
      fc.string({ maxLength: 8 }),
      fc.constantFrom('"', "\\", "é\u2028", "\ud800", "a b"),
    );
    const problem = fc.oneof(
      fc
        .record({ detail: text, policy: fc.option(text, { nil: undefined }) })
        .map(({ detail, policy }) => problemDetails(403, detail, policy === undefined ? {} : { policy })),
      text.map((detail) =>
        problemDetails(503, detail, { code: "PURSER_PROXY_OVERFLOW", policy: "AccessPolicy/a" }),
      ),
      fc
        .tuple(text, text)
        .map(([detail, name]) => quotaExceededDetails(detail, { kind: "QuotaPolicy", name })),
    );
    fc.assert(
      fc.property(problem, fc.option(text, { nil: undefined }), (details, requestId) => {
        const written = problemText(details, requestId, undefined);
        assert.equal(written, JSON.stringify({ ...details, requestId }));
      }),
    );
  });
});
