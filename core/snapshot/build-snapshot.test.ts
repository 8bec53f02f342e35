// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import Type from "typebox";
import { parseDocuments } from "../documents/parse-documents.ts";
import type { Expression } from "../expressions/expression.ts";
import type { AdapterDefinition, PluginDefinition } from "../hooks/extension.ts";
import { buildSnapshot, type SnapshotInput } from "./build-snapshot.ts";
import { DEFAULT_LISTENER_LIMITS } from "../traffic/listener-limits.ts";
import type { Computed, Snapshot } from "./snapshot.ts";

const compiled: string[] = [];

/** Stands for a language in which everything compiles, and a dotted word is what is read. */
const compile = (source: string) => {
  compiled.push(source);
  const paths = [...source.matchAll(/[a-z]+\.[a-z.]+/g)].map(({ 0: word, index }) => ({
    path: word.split("."),
    offset: index,
  }));
  const references = { paths, exact: true };
  return {
    ok: true as const,
    expression: {
      source,
      engine: "interpreted" as const,
      references,
      cacheable: true,
      evaluate: () => undefined,
    },
  };
};

const store: AdapterDefinition = {
  extension: "adapter",
  name: "store",
  description: "",
  templates: ["quota", "metric", "logentry", "tracespan"],
  config: Type.Object(
    {
      url: Type.String({ default: "redis://127.0.0.1" }),
      pool: Type.Object({ size: Type.Integer({ default: 4 }) }, { default: {} }),
    },
    { additionalProperties: false },
  ),
  build: () => ({ close() {} }),
};

const list: PluginDefinition = {
  extension: "plugin",
  name: "list",
  description: "",
  templates: ["listentry"],
  config: Type.Object({}),
  provides: { "list.found": { type: "BOOL" } },
  build: () => ({ apply() {}, close() {} }),
};

const MANIFEST = `
apiVersion: purser.dev/v1
kind: AttributeManifest
metadata: { name: built-in }
spec: { attributes: { request.path: { type: STRING }, response.code: { type: INT64, phase: response } } }
`;

const build = (texts: Readonly<Record<string, string>>, options: Partial<SnapshotInput> = {}) =>
  buildSnapshot({
    files: Object.entries(texts).map(([path, text]) => parseDocuments({ path, text })),
    version: "v1",
    builtIn: [parseDocuments({ path: "manifest.yaml", text: MANIFEST })],
    compile,
    inventory: { adapters: new Map([[store.name, store]]), plugins: new Map([[list.name, list]]) },
    ...options,
  });

const good = (texts: Readonly<Record<string, string>>, options: Partial<SnapshotInput> = {}): Snapshot => {
  const result = build(texts, options);
  assert.ok(result.ok, JSON.stringify(result));
  return result.value;
};

/** The value with each expression replaced by its source, so that whole documents can be compared. */
const plain = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_key, part: unknown) =>
      typeof part === "object" && part !== null && "engine" in part
        ? `=${(part as Expression).source}`
        : part,
    ),
  );

const document = (kind: string, name: string, spec: string) =>
  `apiVersion: purser.dev/v1\nkind: ${kind}\nmetadata: { name: ${name} }\nspec: ${spec}\n`;

describe("building a snapshot", () => {
  it("fills in every default of the limits, with a MeshConfig and without", () => {
    assert.deepEqual(good({}).traffic.limits, DEFAULT_LISTENER_LIMITS);
    const mesh = document(
      "MeshConfig",
      "mesh",
      "{ limits: { maxConnections: 7, streamIdleTimeout: 1m30s } }",
    );
    assert.deepEqual(good({ "mesh.yaml": mesh }).traffic.limits, {
      ...DEFAULT_LISTENER_LIMITS,
      maxConnections: 7,
      streamIdleMs: 90_000,
    });
  });

  it("knows a load balancer in front of the edge by gatewayTopology", () => {
    const isTold = (spec: string) =>
      good({ "mesh.yaml": document("MeshConfig", "mesh", spec) }).traffic.proxyProtocol;
    assert.equal(isTold("{ gatewayTopology: {} }"), undefined);
    assert.equal(isTold("{ gatewayTopology: { proxyProtocol: {} } }"), true);
  });

  it("fills in the defaults of the headers about quotas that a MeshConfig sets", () => {
    const settings = (spec: string) =>
      good({ "mesh.yaml": document("MeshConfig", "mesh", spec) }).traffic.rateLimitHeaders;
    assert.equal(settings("{}"), undefined);
    assert.deepEqual(settings("{ rateLimitHeaders: {} }"), {
      forms: ["RATELIMIT"],
      upstream: "MERGE",
      quotaState: false,
    });
    assert.deepEqual(settings("{ rateLimitHeaders: { forms: [X_RATELIMIT], quotaState: true } }"), {
      forms: ["X_RATELIMIT"],
      upstream: "MERGE",
      quotaState: true,
    });
  });

  it("fills in the defaults of the tracing that a MeshConfig names", () => {
    const tracingOf = (spec: string) =>
      good({ "mesh.yaml": document("MeshConfig", "mesh", spec) }).traffic.tracing;
    assert.equal(tracingOf("{}"), undefined);
    assert.deepEqual(tracingOf("{ tracing: { randomSamplingPercentage: 0.1 } }"), {
      randomSamplingPercentage: 0.1,
      b3: "NONE",
    });
    assert.deepEqual(tracingOf("{ tracing: { b3: MULTI_HEADER } }"), {
      randomSamplingPercentage: 100,
      b3: "MULTI_HEADER",
    });
  });

  it("fills in every default of an AccessPolicy", () => {
    const [policy] = good({ "a.yaml": document("AccessPolicy", "p", "{ action: DENY }") }).accessPolicies;
    assert.deepEqual(policy, {
      name: "p",
      location: { file: "a.yaml", line: 1, column: 1 },
      spec: { action: "DENY" },
      match: undefined,
      action: "DENY",
      when: undefined,
      status: { code: "PERMISSION_DENIED", message: undefined },
      headers: {
        request: { set: [], append: [], remove: [] },
        response: { set: [], append: [], remove: [] },
      },
      directResponse: undefined,
      mode: "enforce",
      onError: "deny",
      validDurationMs: 10_000,
      validUseCount: 10_000,
    });
  });

  it("keeps what an AccessPolicy says, with headers in lower case", () => {
    const spec = `
  match: request.path = "/"
  action: ALLOW
  when: "true"
  status: { code: UNAUTHENTICATED, message: '"no"' }
  headers:
    request: { set: { X-User: request.path }, append: { Via: '"purser"' }, remove: [Cookie] }
  mode: shadow
  onError: allow
  validDuration: 1.5s
  validUseCount: 7`;
    const [policy] = good({ "a.yaml": document("AccessPolicy", "p", spec) }).accessPolicies;
    assert.equal(policy?.spec.validDuration, "1.5s");
    assert.deepEqual(plain({ ...policy, spec: undefined }), {
      name: "p",
      location: { file: "a.yaml", line: 1, column: 1 },
      match: '=request.path = "/"',
      action: "ALLOW",
      when: "=true",
      status: { code: "UNAUTHENTICATED", message: '="no"' },
      headers: {
        request: { set: [["x-user", "=request.path"]], append: [["via", '="purser"']], remove: ["cookie"] },
        response: { set: [], append: [], remove: [] },
      },
      mode: "shadow",
      onError: "allow",
      validDurationMs: 1_500,
      validUseCount: 7,
    });
  });

  it("fills in every default of a QuotaPolicy", () => {
    const [policy] = good({
      "a.yaml": document("QuotaPolicy", "q", "{ limit: 5, window: 60s }"),
    }).quotaPolicies;
    assert.deepEqual(policy, {
      name: "q",
      location: { file: "a.yaml", line: 1, column: 1 },
      spec: { limit: 5, window: "60s" },
      match: undefined,
      key: [],
      limit: 5,
      charge: { kind: "literal", value: 1 },
      overrides: [],
      store: undefined,
      quota: {
        policy: "q",
        algorithm: "sliding-window",
        windowMs: 60_000,
        leaseMs: 1_000,
        onStoreFailure: "local",
      },
      beyond: [],
      message: undefined,
      mode: "enforce",
      onError: "deny",
    });
  });

  it("leases for a tenth of a short window, in whole milliseconds, or as long as the document says", () => {
    const leaseOf = (spec: string) =>
      good({ "a.yaml": document("QuotaPolicy", "q", spec) }).quotaPolicies[0]?.quota.leaseMs;
    assert.equal(leaseOf("{ limit: 5, window: 255ms }"), 25);
    assert.equal(leaseOf("{ limit: 5, window: 1s, lease: 0s }"), 0);
    assert.equal(leaseOf("{ limit: 5, window: 1d, lease: 1m }"), 60_000);
  });

  it("completes the rule of calendar periods, and leases no allocation", () => {
    const quotaOf = (spec: string) =>
      good({ "a.yaml": document("QuotaPolicy", "q", spec) }).quotaPolicies[0]?.quota;
    const common = { policy: "q", leaseMs: 1_000, onStoreFailure: "local", algorithm: "fixed-window" };
    assert.deepEqual(quotaOf("{ limit: 5, period: { every: day } }"), {
      ...common,
      windowMs: 86_400_000,
      period: { every: "day", timeZone: "UTC" },
    });
    assert.deepEqual(quotaOf("{ limit: 5, period: { every: week, timeZone: Asia/Kolkata } }"), {
      ...common,
      windowMs: 7 * 86_400_000,
      period: { every: "week", timeZone: "Asia/Kolkata", startsOn: "monday" },
    });
    assert.deepEqual(quotaOf("{ limit: 5, period: { every: month, dayOfMonth: 31 } }"), {
      ...common,
      windowMs: 30 * 86_400_000,
      period: { every: "month", timeZone: "UTC", dayOfMonth: 31 },
    });
    assert.deepEqual(quotaOf("{ limit: 5, window: 10s, algorithm: fixed-window, align: first-use }"), {
      ...common,
      windowMs: 10_000,
      align: "first-use",
    });
    assert.deepEqual(quotaOf("{ limit: 5, algorithm: allocation }"), {
      ...common,
      algorithm: "allocation",
      windowMs: 0,
      leaseMs: 0,
    });
  });

  it("tells expressions from literals", () => {
    const spec = "{ limit: 1, window: 1s, key: { path: request.path, one: 1, yes: true, text: '\"t\"' } }";
    const key = good({ "a.yaml": document("QuotaPolicy", "q", spec) }).quotaPolicies[0]?.key;
    assert.deepEqual(
      key?.map(([name, value]: readonly [string, Computed]) => [name, value.kind]),
      [
        ["path", "expression"],
        ["one", "literal"],
        ["yes", "literal"],
        ["text", "expression"],
      ],
    );
  });

  it("resolves handlers to display names: the document's own namespace first, each once", () => {
    const snapshot = good({
      "handlers.yaml": `apiVersion: purser.dev/v1
kind: Handler
metadata: { name: out }
spec: { adapter: store }
---
kind: Handler
metadata: { name: out, namespace: shop }
spec: { adapter: store }
---
kind: Handler
metadata: { name: far }
spec: { adapter: store }
---
kind: LogEntry
metadata: { name: entry, namespace: shop }
spec: { variables: {}, handlers: [out, far, default/out, shop/out] }
---
kind: QuotaPolicy
metadata: { name: quota }
spec: { limit: 1, window: 1s, store: shop/out }
`,
    });
    assert.deepEqual(
      snapshot.handlers.map(({ name }) => name),
      ["out", "shop/out", "far"],
    );
    assert.equal(snapshot.logEntries[0]?.name, "shop/entry");
    assert.deepEqual(snapshot.logEntries[0]?.handlers, ["shop/out", "far", "out"]);
    assert.equal(snapshot.quotaPolicies[0]?.store, "shop/out");
  });

  it("fills in a handler's config and delivery, and gives equal handlers equal signatures", () => {
    const one = document("Handler", "a", "{ adapter: store, config: { pool: { size: 2 }, url: x } }");
    const same = document(
      "Handler",
      "b",
      '{ delivery: { linger: 1000ms }, config: { url: "x", pool: { size: 2 } }, adapter: store }',
    );
    const other = document("Handler", "c", "{ adapter: store }");
    const { handlers } = good({ "mesh/a.yaml": `${one}---\n${same}---\n${other}` });
    const [a, b, c] = handlers;
    assert.deepEqual(c?.config, { url: "redis://127.0.0.1", pool: { size: 4 } });
    assert.deepEqual(c?.delivery, {
      class: "at-most-once",
      batchSize: 100,
      maxBatchSize: 1_000,
      lingerMs: 1_000,
      queueSize: 10_000,
      overflow: "drop-oldest",
      attempts: 4,
      inFlight: 4,
      timeoutMs: 5_000,
    });
    const sizes = ["{ batchSize: 20 }", "{ batchSize: 20, maxBatchSize: 50 }", "{ maxBatchSize: 200 }"].map(
      (delivery) => {
        const written = document("Handler", "d", `{ adapter: store, delivery: ${delivery} }`);
        const { batchSize, maxBatchSize } = good({ "mesh/d.yaml": written }).handlers[0]?.delivery ?? {};
        return [batchSize, maxBatchSize];
      },
    );
    assert.deepEqual(sizes, [
      [20, 20],
      [20, 50],
      [100, 200],
    ]);
    assert.equal(c?.definition, store);
    assert.equal(a?.signature, b?.signature);
    assert.notEqual(a?.signature, c?.signature);
    // File paths in a config are relative to the document's folder.
    const [moved] = good({ "elsewhere/a.yaml": one }).handlers;
    assert.notEqual(moved?.signature, a?.signature);
  });

  it("takes a rule's variety from its templates, and lets expressions name what a plugin adds", () => {
    const rules = `apiVersion: purser.dev/v1
kind: Handler
metadata: { name: known }
spec: { plugin: list }
---
kind: Handler
metadata: { name: out }
spec: { adapter: store }
---
kind: Rule
metadata: { name: checks }
spec:
  match: list.found
  instances: [{ name: path, template: listentry, params: { value: request.path } }]
  actions: [{ handler: known, instances: [path] }]
---
kind: Rule
metadata: { name: reports }
spec:
  match: response.code = 500
  instances: [{ name: entry, template: logentry, params: { variables: { code: response.code, one: 1 } } }]
  actions: [{ handler: out, instances: [entry] }]
`;
    const [checks, reports] = good({ "a.yaml": rules }).rules;
    assert.equal(checks?.variety, "check");
    assert.equal(reports?.variety, "report");
    assert.deepEqual(plain(reports?.actions), [
      {
        handler: "out",
        instances: [
          {
            name: "entry",
            template: "logentry",
            params: [
              [
                "variables",
                [
                  ["code", { kind: "expression", expression: "=response.code" }],
                  ["one", { kind: "literal", value: 1 }],
                ],
              ],
            ],
          },
        ],
      },
    ]);
  });

  it("keeps the order of files, and of documents in them", () => {
    const policies = (...names: string[]) =>
      names.map((name) => document("AccessPolicy", name, "{ action: AUDIT }")).join("---\n");
    const { accessPolicies, documents } = good({ "b.yaml": policies("z", "y"), "a.yaml": policies("x") });
    assert.deepEqual(
      accessPolicies.map(({ name }) => name),
      ["z", "y", "x"],
    );
    assert.deepEqual(
      documents.map(({ name, location }) => `${location.file}:${location.line} ${name}`),
      ["b.yaml:1 z", "b.yaml:6 y", "a.yaml:1 x"],
    );
  });

  it("compiles an expression once, however many documents have it", () => {
    compiled.length = 0;
    const policy = (name: string) =>
      document("AccessPolicy", name, "{ action: DENY, when: request.path = '/' }");
    const { accessPolicies } = good({ "a.yaml": `${policy("a")}---\n${policy("b")}` });
    assert.deepEqual(compiled, ["request.path = '/'"]);
    assert.equal(accessPolicies[0]?.when, accessPolicies[1]?.when);
  });

  it("refuses the set whole, with the faults of all files in their order", () => {
    const result = build(
      {
        "b.yaml": document("AccessPolicy", "p", "{ action: DENY, when: request.pth }"),
        "a.yaml": `${document("Metric", "m", "{ type: counter, value: 1, handlers: [nowhere] }")}---\n${document("AccessPolicy", "p", "{ action: DENNY }")}`,
        "good.yaml": document("AccessPolicy", "q", "{ action: DENY }"),
      },
      {
        diagnostics: [
          {
            severity: "error",
            code: "PURSER_DOC_INVALID_VALUE",
            location: { file: "0.yaml", line: 1, column: 1 },
            message: "From elsewhere",
          },
        ],
      },
    );
    assert.ok(!result.ok);
    assert.deepEqual(
      result.diagnostics.map(
        ({ code, location }) => `${location.file}:${location.line}:${location.column} ${code}`,
      ),
      [
        "0.yaml:1:1 PURSER_DOC_INVALID_VALUE",
        "a.yaml:4:45 PURSER_REF_UNKNOWN",
        "a.yaml:8:19 PURSER_DOC_DUPLICATE",
        "a.yaml:9:17 PURSER_DOC_INVALID_VALUE",
        "b.yaml:4:29 PURSER_EXPR_UNKNOWN_ATTRIBUTE",
      ],
    );
  });

  it("takes two HealthChecks of one destination for duplicates only when a proxy would see both", () => {
    const check = (name: string, exportTo?: string) =>
      document(
        "HealthCheck",
        name,
        `{ host: reviews, tcp: {}, interval: 1s, timeout: 1s, unhealthyThreshold: 1, healthyThreshold: 1${exportTo === undefined ? "" : `, exportTo: ${exportTo}`} }`,
      );
    const service =
      "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: { name: reviews }\n" +
      "spec: { hosts: [reviews], ports: [{ number: 80, name: http, protocol: HTTP }], resolution: STATIC, endpoints: [{ address: 10.0.0.1 }] }\n";
    const codes = (first?: string, second?: string): readonly string[] => {
      const result = build({
        "a.yaml": service,
        "b.yaml": check("one", first),
        "c.yaml": check("two", second),
      });
      return result.ok ? [] : result.diagnostics.map(({ code }) => code);
    };
    assert.deepEqual(codes(), ["PURSER_DOC_DUPLICATE"]);
    assert.deepEqual(codes("[.]", "[default]"), ["PURSER_DOC_DUPLICATE"]);
    assert.deepEqual(codes("[shop, edge]", "[edge]"), ["PURSER_DOC_DUPLICATE"]);
    assert.deepEqual(codes("[shop]", "[edge]"), []);
    assert.deepEqual(codes("[shop]"), []);
    assert.deepEqual(codes("['~']", "['~']"), []);
  });

  it("refuses a module where none is loaded, and takes the extension that was loaded for the document", () => {
    const text = { "a.yaml": document("Handler", "h", "{ adapter: theirs, from: ./theirs.js }") };
    const refused = build(text);
    assert.ok(!refused.ok);
    assert.equal(refused.diagnostics[0]?.code, "PURSER_EXTENSION_LOAD");
    const theirs: AdapterDefinition = { ...store, name: "theirs" };
    const { handlers } = good(text, {
      extensionsFrom: () => ({
        ok: true,
        extensions: { adapters: new Map([["theirs", theirs]]), plugins: new Map() },
      }),
    });
    assert.equal(handlers[0]?.definition, theirs);
  });
});
