// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { checkText } from "../../cli/compose/part-config.ts";
import type { DocumentSummary } from "../snapshot/snapshot.ts";
import { documentChanges, shortChange } from "./document-changes.ts";
import { fieldChanges } from "./field-changes.ts";

const document = (kind: string, name: string, spec: unknown, line = 1): DocumentSummary => ({
  kind,
  namespace: "default",
  name,
  location: { file: "a.yaml", line, column: 1 },
  spec,
});

const changes = (before: readonly DocumentSummary[], after: readonly DocumentSummary[]) =>
  documentChanges(before, after).map((change) => [
    shortChange(change),
    change.fields.map(({ field }) => field),
    change.weakening,
  ]);

describe("the changes between two sets", () => {
  it("are added, changed and removed documents; one that has moved is none", () => {
    const before = [
      document("Metric", "m", { value: 1 }),
      document("Metric", "gone", {}),
      document("Metric", "same", { a: [1] }),
    ];
    const after = [
      document("Metric", "same", { a: [1] }, 9),
      document("Metric", "new", {}),
      document("Metric", "m", { value: 2, labels: { a: "b" } }),
      { ...document("Metric", "same", { a: [2] }), namespace: "shop" },
    ];
    assert.deepEqual(changes(before, after), [
      ["+ Metric/new", [], undefined],
      ["~ Metric/m", ["value", "labels"], undefined],
      ["+ Metric/shop/same", [], undefined],
      ["- Metric/gone", [], undefined],
    ]);
    assert.deepEqual(changes(after, after), []);
  });

  it("are also in metadata that changes the document's effect", () => {
    const set = (dryRun: string, label: string) => {
      const text = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: none, annotations: { istio.io/dry-run: "${dryRun}", note: ${label} } }
spec: { action: DENY, rules: [{}] }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: vm, labels: { app: ${label} } }
spec: { address: 10.0.0.1 }
`;
      const checked = checkText({ path: "a.yaml", text });
      assert.ok(checked.ok);
      return checked.value.documents;
    };
    assert.deepEqual(changes(set("false", "a"), set("true", "b")), [
      [
        "~ AuthorizationPolicy/none",
        ["metadata.annotations.istio.io/dry-run"],
        "a document that refuses requests is in shadow mode now",
      ],
      ["~ WorkloadEntry/vm", ["metadata.labels.app"], undefined],
    ]);
    assert.deepEqual(changes(set("true", "a"), set("true", "a")), []);
  });

  it("say when less is refused", () => {
    const cases: readonly (readonly [string, unknown, unknown, RegExp | undefined])[] = [
      ["AccessPolicy", { action: "DENY" }, undefined, /refuses requests is gone/],
      ["AccessPolicy", { action: "ALLOW" }, undefined, /refuses what it does not allow is gone/],
      ["AccessPolicy", { action: "AUDIT" }, undefined, undefined],
      ["AccessPolicy", { action: "DENY", mode: "shadow" }, undefined, undefined],
      ["AccessPolicy", { action: "DENY" }, { action: "DENY", mode: "shadow" }, /in shadow mode now/],
      ["AccessPolicy", { action: "DENY" }, { action: "AUDIT" }, /no longer does/],
      ["AccessPolicy", { action: "DENY" }, { action: "DENY", when: "false" }, undefined],
      ["AccessPolicy", { action: "DENY" }, { action: "DENY", onError: "allow" }, /cannot be decided/],
      ["AuthorizationPolicy", {}, undefined, /refuses what it does not allow is gone/],
      ["QuotaPolicy", { limit: 1, window: "1s" }, undefined, /limits requests is gone/],
      ["QuotaPolicy", { limit: 1, window: "1s" }, { limit: 2, window: "1s" }, /limit is higher/],
      ["QuotaPolicy", { limit: 60, window: "60s" }, { limit: 2, window: "1s" }, /limit is higher/],
      ["QuotaPolicy", { limit: 2, window: "1s" }, { limit: 60, window: "60s" }, undefined],
      [
        "QuotaPolicy",
        { limit: 10, period: { every: "day" } },
        { limit: 10, window: "1s" },
        /limit is higher/,
      ],
      ["QuotaPolicy", { limit: 10, window: "1s" }, { limit: 10, period: { every: "day" } }, undefined],
      ["QuotaPolicy", { limit: 1, window: "1s" }, { limit: 9, algorithm: "concurrency" }, undefined],
      [
        "QuotaPolicy",
        { limit: 9, window: "1s", overrides: [{ when: "a", limit: 1 }] },
        { limit: 9, window: "1s", overrides: [{ when: "a", limit: 2 }] },
        /limit is higher/,
      ],
      [
        "QuotaPolicy",
        { limit: 9, window: "1s", overrides: [{ when: "a", limit: 1 }] },
        { limit: 9, window: "1s" },
        /limit is higher/,
      ],
      [
        "QuotaPolicy",
        { limit: 9, window: "1s" },
        { limit: 9, window: "1s", overrides: [{ when: "a", limit: 1 }] },
        undefined,
      ],
      ["QuotaPolicy", { limit: 1 }, { limit: 1, onStoreFailure: "allow" }, /without a count/],
      ["QuotaPolicy", { limit: 1, match: false }, undefined, undefined],
      ["Rule", {}, undefined, /may refuse requests is gone/],
      [
        "PeerAuthentication",
        { mtls: { mode: "STRICT" } },
        { mtls: { mode: "PERMISSIVE" } },
        /no longer does/,
      ],
      ["Metric", {}, undefined, undefined],
    ];
    for (const [kind, before, after, expected] of cases) {
      const text = JSON.stringify([kind, before, after]);
      const [change] = documentChanges(
        [document(kind, "x", before)],
        after === undefined ? [] : [document(kind, "x", after)],
      );
      if (expected === undefined) assert.equal(change?.weakening, undefined, text);
      else assert.match(change?.weakening ?? "", expected, text);
    }
  });

  it("are none exactly when the specs are equal as JSON data, whatever the order of fields", () => {
    const json = fc
      .jsonValue({ maxDepth: 3, noUnicodeString: true } as never)
      .map((value) => JSON.parse(JSON.stringify(value)) as unknown);
    const shuffled = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(shuffled);
      if (typeof value !== "object" || value === null) return value;
      return Object.fromEntries(
        Object.entries(value)
          .toReversed()
          .map(([name, each]) => [name, shuffled(each)]),
      );
    };
    fc.assert(
      fc.property(json, json, (a, b) => {
        assert.deepEqual(fieldChanges(a, shuffled(a)), []);
        let equal = true;
        try {
          assert.deepEqual(a, b);
        } catch {
          equal = false;
        }
        assert.equal(fieldChanges(a, b).length === 0, equal);
      }),
    );
  });
});
