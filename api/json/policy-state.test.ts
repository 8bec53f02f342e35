// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { isPurserError } from "../../kernel/errors.ts";
import { decodePolicyStateQuery, encodePolicyStateQuery, POLICY_STATE_PATH } from "./policy-state.ts";
import { MAX_POLL_WAIT_MS } from "./query.ts";

function parametersOf(path: string) {
  const url = new URL(path, "http://mixer");
  assert.equal(url.pathname, POLICY_STATE_PATH);
  return Object.fromEntries(url.searchParams);
}

describe("the query for the policy state", () => {
  it("survives encoding and decoding", () => {
    const text = fc.string({ minLength: 1, maxLength: 40, unit: "grapheme" });
    const query = fc.record(
      { node: text, version: text, proxies: fc.nat(999_999_999), waitMs: fc.nat(MAX_POLL_WAIT_MS) },
      { requiredKeys: ["node", "waitMs"] },
    );
    fc.assert(
      fc.property(query, (given) => {
        assert.deepEqual(decodePolicyStateQuery(parametersOf(encodePolicyStateQuery(given))), { ...given });
      }),
    );
  });

  it("does not wait by default, and never longer than a mixer may hold it", () => {
    assert.deepEqual(decodePolicyStateQuery({ node: "edge" }), { node: "edge", waitMs: 0 });
    assert.equal(decodePolicyStateQuery({ node: "edge", waitMs: "999999" }).waitMs, MAX_POLL_WAIT_MS);
  });

  it("is refused with the name of the malformed parameter", () => {
    const refused: readonly (readonly [Readonly<Record<string, string | readonly string[]>>, RegExp])[] = [
      [{}, /node/],
      [{ node: "" }, /node/],
      [{ node: ["a", "b"] }, /node/],
      [{ node: "a", version: ["1", "2"] }, /version is given twice/],
      [{ node: "a", proxies: "-1" }, /proxies/],
      [{ node: "a", waitMs: "1.5" }, /waitMs/],
      [{ node: "a", later: "1" }, /no query parameter "later"/],
    ];
    for (const [parameters, message] of refused)
      assert.throws(() => decodePolicyStateQuery(parameters), message, JSON.stringify(parameters));
    const value = fc.oneof(fc.string(), fc.array(fc.string(), { maxLength: 2 }));
    const name = fc.oneof(fc.constantFrom("node", "version", "proxies", "waitMs"), fc.string());
    fc.assert(
      fc.property(fc.dictionary(name, value), (parameters) => {
        try {
          decodePolicyStateQuery(parameters);
        } catch (error) {
          assert.ok(isPurserError(error) && error.code === "PURSER_REQUEST_INVALID", String(error));
        }
      }),
    );
  });
});
