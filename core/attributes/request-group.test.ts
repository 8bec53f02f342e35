// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";

import { groupOfFields, present, requestFields, requestGroup } from "./request-group.ts";

const text = fc.option(fc.constantFrom("a", "b"), { nil: undefined });
const facts = fc.record({
  id: text,
  size: fc.option(fc.nat(9), { nil: undefined }),
  time: text,
  traceId: text,
  spanId: text,
  parentSpanId: text,
  auth: fc.option(fc.constant({ principal: "issuer/ann" }), { nil: undefined }),
});
const request = fc.record({
  method: fc.constant("GET"),
  scheme: fc.constantFrom("http" as const, "https" as const),
  authority: fc.record({ host: fc.constantFrom("", "a"), port: fc.option(fc.nat(9), { nil: undefined }) }),
  path: fc.constant("/p"),
  query: fc.constantFrom("", "?a=1", "?a=1&a=2"),
  headers: fc.constantFrom<readonly string[]>([], ["user-agent", "u"], ["referer", "r", "x", "1", "x", "2"]),
});

describe("the attributes of a request", () => {
  it("are plain data whose absent attributes are absent properties, always in one order", () => {
    fc.assert(
      fc.property(request, facts, fc.option(fc.nat(9), { nil: undefined }), (head, known, total) => {
        const fields = requestFields(head, known);
        const group = groupOfFields(fields, known.size, total);
        const expected = present({
          method: fields.method,
          scheme: fields.scheme,
          host: fields.host,
          port: fields.port,
          path: head.path + head.query,
          url_path: head.path,
          query_params: fields.queryParams,
          repeated_query_params: fields.repeatedQueryParams,
          headers: fields.headers,
          repeated_headers: fields.repeatedHeaders,
          useragent: fields.userAgent,
          referer: fields.referer,
          id: known.id,
          size: known.size,
          time: known.time,
          trace_id: known.traceId,
          span_id: known.spanId,
          parent_span_id: known.parentSpanId,
          auth: known.auth,
          total_size: total,
        });
        assert.deepEqual(group, expected);
        assert.deepEqual(Object.keys(group), Object.keys(expected));
        assert.equal(Object.getPrototypeOf(group), Object.prototype);
        assert.equal("constructor" in group && Object.hasOwn(group, "constructor"), false);
      }),
    );
  });

  it("of a head alone are those of its parts", () => {
    const head = { method: "GET", scheme: "http", path: "/", query: "", headers: ["host", "a"] } as const;
    assert.deepEqual(Object.keys(requestGroup({ ...head, authority: { host: "a", port: undefined } })), [
      "method",
      "scheme",
      "host",
      "path",
      "url_path",
      "query_params",
      "headers",
    ]);
  });
});
