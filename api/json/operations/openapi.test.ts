// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { ERROR_CATALOG } from "../../../kernel/error-catalog.ts";
import { decodeDiscoveryRequest, DISCOVERY_QUERY } from "../discovery.ts";
import { httpStatusOfError } from "../error-body.ts";
import { decodePolicyStateQuery, POLICY_STATE_QUERY } from "../policy-state.ts";
import {
  AUDIT_QUERY,
  decodeAuditQuery,
  decodeEndQuery,
  decodeListQuery,
  decodeTopQuery,
  END_QUERY,
  LIST_QUERY,
  TOP_QUERY,
} from "../quota-operations.ts";
import type { QueryParameter } from "./operation.ts";
import { refusalsOf } from "./openapi.ts";
import { CHECK, GET_METRICS } from "./mixer-operations.ts";
import { GET_HEALTH } from "./health-operations.ts";
import { SURFACE_DOCUMENTS } from "./surfaces.ts";

type Query = Readonly<Record<string, QueryParameter>>;

const NODE = JSON.stringify({ role: "edge", id: "e", host: "127.0.0.1", port: 0, trustedHops: 0 });

const QUERIES: readonly (readonly [
  string,
  Query,
  Record<string, string>,
  (query: Record<string, string>) => unknown,
])[] = [
  [
    "policy state",
    POLICY_STATE_QUERY,
    { node: "n", version: "v", proxies: "1", waitMs: "5" },
    decodePolicyStateQuery,
  ],
  [
    "discovery",
    DISCOVERY_QUERY,
    { node: NODE, clusters: "", endpoints: "", listeners: "", routes: "", waitMs: "5" },
    decodeDiscoveryRequest,
  ],
  ["quotas", LIST_QUERY, { policy: "p", key: "{}", limit: "5", cursor: "c" }, decodeListQuery],
  ["top", TOP_QUERY, { policy: "p", limit: "5" }, decodeTopQuery],
  ["audit", AUDIT_QUERY, { limit: "5" }, decodeAuditQuery],
  ["end", END_QUERY, { policy: "p", key: "{}", reason: "r" }, decodeEndQuery],
];

describe("the descriptions of control surfaces", () => {
  for (const [name, query, example, decode] of QUERIES) {
    it(`declare the parameters that the query of ${name} takes`, () => {
      assert.deepEqual(Object.keys(example).sort(), Object.keys(query).sort());
      decode(example);
      assert.throws(() => decode({ ...example, undeclared: "1" }));
      for (const [parameter, { required = false }] of Object.entries(query)) {
        const { [parameter]: _, ...others } = example;
        if (required) assert.throws(() => decode(others), parameter);
        else decode(others);
      }
    });
  }

  for (const [surface, document] of Object.entries(SURFACE_DOCUMENTS)) {
    it(`of ${surface} have each operation once, with schemas that exist`, () => {
      const text = JSON.stringify(document());
      const { paths, components } = JSON.parse(text) as {
        readonly paths: Record<string, Record<string, { readonly operationId: string }>>;
        readonly components: { readonly schemas: Record<string, unknown> };
      };
      const ids = Object.values(paths).flatMap((item) =>
        Object.values(item).map(({ operationId }) => operationId),
      );
      assert.equal(new Set(ids).size, ids.length);
      const references = [...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(
        ([, name]) => name as string,
      );
      assert.deepEqual([...new Set(references)].sort(), Object.keys(components.schemas).sort());
    });
  }

  it("put each code of a refusal under the status that the server gives it", () => {
    for (const [status, codes] of refusalsOf(CHECK))
      for (const code of codes) {
        assert.ok(Object.hasOwn(ERROR_CATALOG, code));
        const expected = status === 414 ? 413 : status;
        assert.equal(httpStatusOfError(code), expected, code);
      }
  });

  it("ask for a credential everywhere but at probes", () => {
    assert.ok(!refusalsOf(GET_HEALTH).has(401));
    assert.ok(refusalsOf(GET_METRICS).has(401));
    assert.ok(refusalsOf(CHECK).has(401));
  });
});
