// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { mergeRoutes } from "./virtual-service-delegate.ts";
import type { HttpMatchSpec } from "./virtual-service-match.ts";
import type { HttpRouteSpec } from "./virtual-service-schema.ts";

const TO_A: HttpRouteSpec = { route: [{ destination: { host: "a" } }] };

const merge = (root: readonly HttpMatchSpec[], leaf: readonly HttpMatchSpec[]) =>
  mergeRoutes({ match: [...root], delegate: { name: "x" } }, { match: [...leaf], ...TO_A });

describe("a delegate's route", () => {
  it("must be narrower than the route that delegates", () => {
    const uri = (match: object): HttpMatchSpec => ({ uri: match });
    const cases: readonly (readonly [root: HttpMatchSpec, leaf: HttpMatchSpec, fits: boolean])[] = [
      [uri({ prefix: "/a" }), uri({ prefix: "/a/b" }), true],
      [uri({ prefix: "/a" }), uri({ exact: "/a" }), true],
      [uri({ prefix: "/a" }), uri({ prefix: "/" }), false],
      [uri({ prefix: "/a" }), uri({ exact: "/b" }), false],
      [uri({ prefix: "/a" }), uri({ regex: "/a.*" }), false],
      [uri({ exact: "/a" }), uri({ exact: "/a" }), true],
      [uri({ exact: "/a" }), uri({ exact: "/ab" }), false],
      [uri({ exact: "/a" }), uri({ prefix: "/a" }), false],
      [uri({ regex: "/a.*" }), uri({ regex: "/a.*" }), false],
      [uri({ regex: "/a.*" }), {}, true],
      [{}, uri({ regex: "/a.*" }), true],
      [{ method: { exact: "GET" } }, { method: { exact: "PUT" } }, false],
      [{ authority: { prefix: "a" } }, { authority: { prefix: "ab" } }, true],
      [{ headers: { a: { exact: "1" } } }, { headers: { b: { exact: "1" } } }, true],
      [{ headers: { a: { exact: "1" } } }, { headers: { a: { exact: "2" } } }, false],
      [{ headers: { a: {} } }, { headers: { a: { exact: "2" } } }, false],
      // A match holds for fewer requests if it refuses more values.
      [{ withoutHeaders: { a: { prefix: "1" } } }, { withoutHeaders: { a: { prefix: "12" } } }, false],
      [{ withoutHeaders: { a: {} } }, { withoutHeaders: { a: { exact: "1" } } }, false],
      [{ withoutHeaders: { a: { prefix: "12" } } }, { withoutHeaders: { a: { prefix: "1" } } }, true],
      [{ withoutHeaders: { a: { exact: "1" } } }, { withoutHeaders: { a: { exact: "1" } } }, true],
      [{ withoutHeaders: { a: { exact: "1" } } }, { withoutHeaders: { b: {} } }, true],
      // Names of headers have no case.
      [{ headers: { "X-A": { exact: "1" } } }, { headers: { "x-a": { exact: "2" } } }, false],
      [{ headers: { "X-A": { exact: "1" } } }, { headers: { "x-a": { exact: "1" } } }, true],
      [{ withoutHeaders: { "X-A": {} } }, { withoutHeaders: { "x-a": { exact: "2" } } }, false],
      // The same condition under two names.
      [{ headers: { "X-Forwarded-Proto": { exact: "https" } } }, { scheme: { exact: "http" } }, false],
      [{ scheme: { exact: "https" } }, { headers: { "x-forwarded-proto": { exact: "http" } } }, false],
      [{ headers: { ":authority": { exact: "a" } } }, { authority: { exact: "b" } }, false],
      [{ queryParams: { a: { exact: "1" } } }, { queryParams: { a: { regex: "1" } } }, false],
      [{ ignoreUriCase: true }, {}, false],
      [{ ignoreUriCase: false }, {}, true],
      [{ port: 80 }, { port: 81 }, false],
      [{ port: 80 }, {}, true],
      [{ sourceNamespace: "a" }, { sourceNamespace: "b" }, false],
      [{ sourceNamespace: "a" }, { sourceNamespace: "a" }, true],
      [{ sourceNamespace: "a" }, {}, true],
      [{ sourceLabels: { a: "1" } }, { sourceLabels: { a: "2" } }, false],
      [{ sourceLabels: { a: "1" } }, { sourceLabels: { b: "2" } }, true],
      [{}, { sourceLabels: { a: "1" }, sourceNamespace: "a" }, true],
      [{ gateways: ["a", "b"] }, { gateways: ["a"] }, true],
      [{ gateways: ["a"] }, { gateways: ["b"] }, false],
      [{}, { gateways: ["b"] }, true],
    ];
    for (const [root, leaf, fits] of cases)
      assert.equal(merge([root], [leaf]) !== undefined, fits, JSON.stringify([root, leaf]));
  });

  it("has both matches together, each pair that fits", () => {
    const get = { method: { exact: "GET" } };
    const roots = [
      { name: "r1", uri: { prefix: "/a" }, headers: { x: { exact: "1" } } },
      { uri: { prefix: "/b" } },
      get,
    ];
    const merged = merge(roots, [{ name: "l", uri: { prefix: "/a/b" }, headers: { y: {} }, port: 80 }]);
    assert.deepEqual(merged?.match, [
      { name: "r1-l", uri: { prefix: "/a/b" }, headers: { x: { exact: "1" }, y: {} }, port: 80 },
      { name: "l", uri: { prefix: "/a/b" }, headers: { y: {} }, port: 80, ...get },
    ]);
    assert.deepEqual(merge(roots, [])?.match, roots);
    assert.deepEqual(merge([], [get])?.match, [get]);
    assert.equal("match" in (merge([], []) ?? {}), false);
  });

  it("takes what it lacks from the route that delegates", () => {
    const root: HttpRouteSpec = {
      name: "root",
      delegate: { name: "x" },
      timeout: "1s",
      rewrite: { uri: "/" },
      retries: { attempts: 1 },
      purser: { hedgeOnPerTryTimeout: true },
      mirror: { host: "m" },
      mirrorPercentage: { value: 1 },
      headers: { request: { set: { a: "1" } } },
    };
    const { delegate: _delegate, name: _name, ...given } = root;
    assert.deepEqual(mergeRoutes(root, TO_A), { ...given, ...TO_A, name: "root" });
    const own: HttpRouteSpec = {
      ...TO_A,
      name: "own",
      timeout: "2s",
      mirrors: [{ destination: { host: "n" } }],
      headers: { response: { remove: ["b"] } },
    };
    assert.deepEqual(mergeRoutes(root, own), {
      ...own,
      name: "root-own",
      rewrite: root.rewrite,
      retries: root.retries,
      purser: root.purser,
    });
    const direct = { directResponse: { status: 204 } };
    assert.deepEqual(mergeRoutes(root, direct), { ...direct, name: "root", headers: root.headers });
  });

  it("never matches a path that the route that delegates does not", () => {
    const texts = fc.array(fc.constantFrom("/", "a", "b"), { maxLength: 4 }).map((parts) => parts.join(""));
    const match = fc.oneof(fc.record({ exact: texts }), fc.record({ prefix: texts }), fc.constant(undefined));
    const holds = (condition: { exact?: string; prefix?: string } | undefined, path: string) =>
      condition === undefined ||
      condition.exact === path ||
      (condition.prefix !== undefined && path.startsWith(condition.prefix));
    fc.assert(
      fc.property(match, match, texts, (root, leaf, path) => {
        const spec = (uri: typeof root): HttpMatchSpec[] => (uri === undefined ? [{}] : [{ uri }]);
        const merged = merge(spec(root), spec(leaf));
        if (merged === undefined) return;
        const taken = merged.match?.some(({ uri }) => holds(uri, path)) ?? true;
        if (taken) assert.ok(holds(root, path) && holds(leaf, path));
        else assert.ok(!(holds(root, path) && holds(leaf, path)));
      }),
      { numRuns: 500 },
    );
  });
});
