// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import type { AttributeBag } from "../../core/attributes/bag.ts";
import { isPurserError } from "../../kernel/errors.ts";
import { decodeReportRequest, encodeReportRequest } from "./report.ts";

const overTheWire = (message: unknown): unknown => JSON.parse(JSON.stringify(message));

function codeOf(body: unknown): string {
  try {
    decodeReportRequest(body);
    return "none";
  } catch (error) {
    return isPurserError(error) ? error.code : String(error);
  }
}

const NAMES = ["a", "b", "__proto__", "constructor"] as const;
const VALUE = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom<unknown>("", "x", 0, 1.5, true, null, undefined),
    fc.array(tie("value"), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom(...NAMES), tie("value"), { maxKeys: 3 }),
  ),
})).value;
const BAGS = fc.array(fc.dictionary(fc.constantFrom(...NAMES), VALUE), { maxLength: 5 });

describe("a report in JSON", () => {
  it("has the same bags at the mixer, whatever they have in common", () => {
    fc.assert(
      fc.property(BAGS, fc.option(fc.constant("id"), { nil: undefined }), (given, deduplicationId) => {
        const bags = given as readonly AttributeBag[];
        const request = deduplicationId === undefined ? { bags } : { bags, deduplicationId };
        assert.deepEqual(
          decodeReportRequest(overTheWire(encodeReportRequest(request))),
          overTheWire(request),
        );
      }),
      { numRuns: 1_000 },
    );
  });

  it("repeats nothing that the bag before had", () => {
    const bag = (path: string, user?: string): AttributeBag => ({
      destination: { service: { name: "reviews" } },
      request: { path, headers: { host: "a", ...(user === undefined ? {} : { user }) } },
      check: { audits: ["AccessPolicy/a"] },
    });
    const { bags, changes } = encodeReportRequest({ bags: [bag("/1", "u"), bag("/2", "u"), bag("/2")] });
    assert.equal(bags.length, 1);
    assert.deepEqual(changes, [{ request: { path: "/2" } }, { request: { headers: { user: [] } } }]);
  });

  it("is as before with one bag or none", () => {
    for (const bags of [[], [{ a: 1 }]]) assert.deepEqual(encodeReportRequest({ bags }), { bags });
  });

  it("takes changes to nothing as a whole bag", () => {
    assert.deepEqual(decodeReportRequest({ bags: [], changes: [{ a: { b: 1 } }, {}] }), {
      bags: [{ a: { b: 1 } }, { a: { b: 1 } }],
    });
  });

  it("has no more bags than a report of whole bags may have", () => {
    const changes = Array.from({ length: 10_000 }, () => ({}));
    assert.equal(codeOf({ bags: [], changes }), "none");
    assert.equal(codeOf({ bags: [{}], changes }), "PURSER_REQUEST_INVALID");
    assert.equal(codeOf({ bags: [], changes: [...changes, {}] }), "PURSER_REQUEST_INVALID");
    assert.equal(codeOf({ bags: [], changes: [[]] }), "PURSER_REQUEST_INVALID");
    assert.equal(codeOf({ bags: [], changes: [{ a: [1, 2] }] }), "PURSER_REQUEST_INVALID");
  });

  it("is refused when small changes make many large bags", function () {
    // The bags have 10 million members, which a busy machine takes long to make.
    this.timeout(30_000);
    const large = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`a${index}`, 1]));
    const changes = Array.from({ length: 9_000 }, (_, index) => ({ group: { a1: index } }));
    assert.equal(codeOf({ bags: [{ group: large }], changes }), "PURSER_REQUEST_TOO_LARGE");
    assert.equal(codeOf({ bags: [{ group: large }], changes: changes.slice(0, 900) }), "none");
  });
});
