// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createHttpClient } from "../plugins/sdk/http/client.ts";
import assert from "node:assert/strict";
import { BUNDLED_ADAPTERS } from "../adapters/inventory.ts";
import { builtInManifest } from "../config/built-in-manifest.ts";
import type { AttributeBag } from "../core/attributes/bag.ts";
import { parseDocuments } from "../core/documents/parse-documents.ts";
import { compileWithJsonata } from "../core/expressions/jsonata-engine.ts";
import { formatDiagnostic } from "../kernel/diagnostic.ts";
import { buildSnapshot } from "../core/snapshot/build-snapshot.ts";
import { BUNDLED_PLUGINS } from "../plugins/inventory.ts";
import {
  createCollectingLogger,
  createMemoryFiles,
  createSeededRandom,
  createVirtualTime,
} from "../plugins/sdk/testing/index.ts";
import { createMixer } from "./mixer.ts";
import { expositionOf } from "../test/support/exposition.ts";

const DOCUMENTS = `
apiVersion: purser.dev/v1
kind: AccessPolicy
metadata: { name: ratings-read-only }
spec:
  match: destination.service.name = "ratings"
  action: DENY
  when: $not(request.method in ["GET", "HEAD"])
  status: { message: '"not for " & request.method' }
---
apiVersion: purser.dev/v1
kind: Handler
metadata: { name: known-users }
spec:
  plugin: list
  config: { mode: allow, entries: [ann, bob], status: { code: NOT_FOUND, message: who? } }
---
apiVersion: purser.dev/v1
kind: Rule
metadata: { name: users }
spec:
  match: $exists(request.headers."x-user")
  instances: [{ name: user, template: listentry, params: { value: request.headers."x-user" } }]
  actions: [{ handler: known-users, instances: [user] }]
---
apiVersion: purser.dev/v1
kind: Handler
metadata: { name: tell-user }
spec:
  plugin: header-operations
  config: { request: [{ operation: set, name: X-Known-User, from: user }] }
---
apiVersion: purser.dev/v1
kind: Rule
metadata: { name: tell }
spec:
  instances: [{ name: values, template: headers, params: { values: { user: request.headers."x-user" } } }]
  actions: [{ handler: tell-user, instances: [values] }]
---
apiVersion: purser.dev/v1
kind: Handler
metadata: { name: closed }
spec: { plugin: deny }
---
apiVersion: purser.dev/v1
kind: Rule
metadata: { name: would-close }
spec:
  mode: shadow
  instances: [{ name: nothing, template: checknothing }]
  actions: [{ handler: closed, instances: [nothing] }]
---
apiVersion: purser.dev/v1
kind: Handler
metadata: { name: memory }
spec: { adapter: memory-quota }
---
apiVersion: purser.dev/v1
kind: QuotaPolicy
metadata: { name: per-user }
spec:
  match: $exists(request.headers."x-user")
  key: { user: request.headers."x-user" }
  limit: 2
  window: 60s
  store: memory
---
apiVersion: purser.dev/v1
kind: Handler
metadata: { name: prometheus }
spec: { adapter: prometheus }
---
apiVersion: purser.dev/v1
kind: Metric
metadata: { name: requests_total }
spec:
  type: counter
  value: 1
  labels: { code: response.code, user: request.headers."x-user" }
  handlers: [prometheus]
`;

async function setUp() {
  const inventory = {
    adapters: new Map(BUNDLED_ADAPTERS.map((adapter) => [adapter.name, adapter])),
    plugins: new Map(BUNDLED_PLUGINS.map((plugin) => [plugin.name, plugin])),
  };
  const built = buildSnapshot({
    files: [parseDocuments({ path: "mesh.yaml", text: DOCUMENTS })],
    version: "1",
    builtIn: [builtInManifest()],
    compile: compileWithJsonata,
    inventory,
  });
  assert.ok(built.ok, built.ok ? "" : built.diagnostics.map((fault) => formatDiagnostic(fault)).join("\n"));
  const { clock, scheduler } = createVirtualTime();
  const mixer = createMixer({
    clock,
    scheduler,
    random: createSeededRandom(),
    logger: createCollectingLogger(),
    files: () => createMemoryFiles(),
    http: () => createHttpClient(clock),
    spoolFiles: () => assert.fail("no spool here"),
    buildInThread: () => assert.fail("no thread here"),
  });
  const applied = await mixer.apply(built.value);
  assert.ok(applied.ok);
  let id = 0;
  const check = async (attributes: AttributeBag) => mixer.check({ attributes, deduplicationId: `${++id}` });
  return { mixer, check };
}

const request = (
  method: string,
  headers: Record<string, string> = {},
  service = "reviews",
): AttributeBag => ({
  request: { method, headers },
  destination: { service: { name: service } },
});

describe("a mixer with documents and the bundled extensions", () => {
  it("denies by a policy, with the policy's message", async () => {
    const { check } = await setUp();
    const { decision } = await check(request("POST", {}, "ratings"));
    assert.deepEqual(decision.status, { code: "PERMISSION_DENIED", message: "not for POST" });
    assert.equal((await check(request("GET", {}, "ratings"))).decision.status.code, "OK");
  });

  it("refuses by the list plugin, changes headers by the header plugin, and denies in shadow by the deny plugin", async () => {
    const { check } = await setUp();
    const { decision: stranger } = await check(request("GET", { "x-user": "eve" }));
    assert.deepEqual(stranger.status, { code: "NOT_FOUND", message: "who?" });
    assert.deepEqual(stranger.decidedBy, { kind: "Rule", name: "users" });
    const { decision } = await check(request("GET", { "x-user": "ann" }));
    assert.equal(decision.status.code, "OK");
    assert.deepEqual(decision.requestHeaders, [{ operation: "set", name: "x-known-user", value: "ann" }]);
    assert.deepEqual(decision.shadowDenials, [{ kind: "Rule", name: "would-close" }]);
  });

  it("counts quotas in the adapter that a policy names, each key apart", async () => {
    const { check } = await setUp();
    const granted = [];
    for (const user of ["ann", "ann", "bob", "ann"]) {
      const { quotas } = await check(request("GET", { "x-user": user }));
      granted.push(quotas[0]?.granted);
    }
    assert.deepEqual(granted, [1, 1, 1, 0]);
  });

  it("exports the documents' metrics beside its own", async () => {
    const { mixer } = await setUp();
    await mixer.report({ bags: [{ ...request("GET", { "x-user": "ann" }), response: { code: 200 } }] });
    const text = await expositionOf(mixer);
    assert.match(text, /^requests_total\{code="200",user="ann"\} 1$/m);
    assert.match(text, /^purser_mixer_report_bags_total 1$/m);
  });

  it("lists in a decision's references exactly what its expressions read", async () => {
    const { check } = await setUp();
    const { decision } = await check(request("GET"));
    assert.deepEqual(
      decision.referenced.map(({ path, condition }) => `${condition} ${path.join(".")}`).sort(),
      ["ABSENCE request.headers.x-user", "EXACT destination.service.name"],
    );
  });
});
