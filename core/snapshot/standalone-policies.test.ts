// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import Type from "typebox";
import { evaluateCharge } from "../check/quota-charges.ts";
import { evaluateCondition, Fault, type Scope } from "../check/evaluation.ts";
import { effectOfError, effectOfOutage } from "../check/undecided.ts";
import { parseDocuments } from "../documents/parse-documents.ts";
import { compileWithJsonata } from "../expressions/jsonata-engine.ts";
import type { AdapterDefinition } from "../hooks/extension.ts";
import { buildSnapshot } from "./build-snapshot.ts";
import { buildStandalonePolicies, type StandalonePolicy } from "./standalone-policies.ts";
import type { PolicyDocument } from "./policy-document.ts";
import type { Snapshot } from "./snapshot.ts";

const DOCUMENTS = `
apiVersion: purser.dev/v1
kind: AttributeManifest
metadata: { name: attributes }
spec: { attributes: { request.path: { type: STRING }, request.user: { type: STRING }, request.size: { type: INT64 } } }
---
kind: AccessPolicy
metadata: { name: guard, namespace: shop }
spec:
  match: request.path = "/"
  action: DENY
  when: request.user = "eve"
  status: { code: NOT_FOUND, message: '"no"' }
  headers: { response: { set: { X-A: '"1"' }, remove: [X-B] } }
  directResponse: { code: 418, body: '"tea"', headers: { X-Tea: pot } }
  validDuration: 1m
---
kind: QuotaPolicy
metadata: { name: per-user }
spec:
  match: request.path = "/"
  key: { user: request.user, fixed: 1 }
  limit: 10
  window: 1m30s
  charge: request.size
  overrides: [{ when: request.user = "ann", limit: 2 }]
  lease: 2s
  giveBackOn: failure
  unit: content-bytes
  headers: false
  status: { message: '"slow down, " & request.user' }
---
kind: Rule
metadata: { name: listed }
spec:
  instances:
    - { name: nothing, template: checknothing }
    - { name: who, template: authorization, params: { subject: { user: request.user } } }
  actions: [{ handler: asks, instances: [nothing, who] }]
  onError: allow
---
kind: Handler
metadata: { name: asks }
spec: { adapter: asks }
`;

const asks: AdapterDefinition = {
  extension: "adapter",
  name: "asks",
  description: "",
  templates: ["checknothing", "authorization"],
  config: Type.Object({}),
  build: () => ({ close() {} }),
};

function snapshotOf(text: string): Snapshot {
  const built = buildSnapshot({
    files: [parseDocuments({ path: "a.yaml", text })],
    version: "v1",
    builtIn: [],
    compile: compileWithJsonata,
    inventory: { adapters: new Map([[asks.name, asks]]), plugins: new Map() },
  });
  assert.ok(built.ok, JSON.stringify(built));
  return built.value;
}

/** Without place and kind, and with the source in place of each expression. */
function plain(policy: object): unknown {
  return JSON.parse(
    JSON.stringify(policy, (key, value: unknown) => {
      if (key === "location" || key === "kind") return undefined;
      if (typeof value !== "object" || value === null || !("evaluate" in value)) return value;
      return `=${String((value as { readonly source?: unknown }).source)}`;
    }),
  );
}

const scopeOf = (request: Record<string, string | number>): Scope => ({
  bag: { request },
  context: { nowMs: 0 },
  cacheable: true,
});

describe("policies that are built apart from their set", () => {
  const { accessPolicies, quotaPolicies, rules } = snapshotOf(DOCUMENTS);
  const documents: readonly PolicyDocument[] = [
    ...accessPolicies.map(({ name, spec }) => ({ kind: "AccessPolicy", name, spec }) as const),
    ...quotaPolicies.map(({ name, spec }) => ({ kind: "QuotaPolicy", name, spec }) as const),
    ...rules.map(({ name, spec }) => ({ kind: "Rule", name, spec }) as const),
  ];

  it("are those of the snapshot, also after a way through JSON", () => {
    const travelled = JSON.parse(JSON.stringify(documents)) as readonly PolicyDocument[];
    const built = buildStandalonePolicies(travelled, compileWithJsonata);
    assert.deepEqual(built.map(plain), [...accessPolicies, ...quotaPolicies, ...rules].map(plain));
  });

  it("compile no expression before it is evaluated, and each source once", async () => {
    const compiled: string[] = [];
    const built = buildStandalonePolicies(documents, (source) => {
      compiled.push(source);
      return compileWithJsonata(source);
    });
    assert.equal(compiled.length, 0);
    for (const { match } of built) await evaluateCondition(match, scopeOf({ path: "/" }));
    assert.deepEqual([...compiled], ['request.path = "/"']);
    const quota = built.find(({ kind }) => kind === "QuotaPolicy");
    assert.ok(quota?.kind === "QuotaPolicy");
    const charge = await evaluateCharge(quota, scopeOf({ user: "ann", size: 3 }));
    assert.ok(!(charge instanceof Fault));
    assert.deepEqual(
      [charge.cell, charge.amount, charge.limit, charge.message],
      ['per-user{"fixed":1,"user":"ann"}', 3, 2, "slow down, ann"],
    );
    assert.ok(!compiled.includes('request.user = "eve"'), "what only the mixer evaluates");
  });

  it("fail, and do no more harm, where an expression does not compile", async () => {
    const policy = {
      kind: "AccessPolicy",
      name: "newer",
      spec: { action: "DENY", match: "$later(" },
    } as const;
    const [built] = buildStandalonePolicies([policy], compileWithJsonata);
    const matched = await evaluateCondition(built?.match, scopeOf({}));
    assert.ok(matched instanceof Fault);
    assert.equal(matched.code, "PURSER_EXPR_EVALUATION");
  });

  it("say what it means that nobody can be asked", () => {
    const cases: readonly (readonly [PolicyDocument, onError: string, outage: string])[] = [
      [{ kind: "AccessPolicy", name: "a", spec: { action: "DENY" } }, "deny", "deny"],
      [{ kind: "AccessPolicy", name: "a", spec: { action: "ALLOW", onError: "allow" } }, "allow", "allow"],
      [{ kind: "AccessPolicy", name: "a", spec: { action: "AUDIT" } }, "allow", "allow"],
      [{ kind: "QuotaPolicy", name: "q", spec: { limit: 1, window: "1s" } }, "deny", "local"],
      [
        {
          kind: "QuotaPolicy",
          name: "q",
          spec: { limit: 1, window: "1s", onError: "allow", onStoreFailure: "deny" },
        },
        "allow",
        "deny",
      ],
      [{ kind: "Rule", name: "r", spec: { instances: [], actions: [] } }, "deny", "deny"],
    ];
    for (const [document, onError, outage] of cases) {
      const [policy] = buildStandalonePolicies([document], compileWithJsonata);
      assert.deepEqual(
        [effectOfError(policy as StandalonePolicy), effectOfOutage(policy as StandalonePolicy)],
        [onError, outage],
        JSON.stringify(document),
      );
    }
  });
});
