// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { stringify } from "yaml";
import { formatDiagnostic } from "../../kernel/diagnostic.ts";
import { KINDS } from "./catalog.ts";
import type { KindDefinition } from "./kinds/kind.ts";
import { type ParseOptions, parseDocuments } from "./parse-documents.ts";

const parse = (text: string, options: ParseOptions = {}) => {
  const { documents, diagnostics } = parseDocuments({ path: "f", text }, options);
  return {
    documents,
    names: documents.map(({ definition, metadata }) => `${definition.kind} ${metadata.name}`),
    faults: diagnostics.map((diagnostic) => formatDiagnostic(diagnostic)),
  };
};

const GATEWAY = (metadata: object, more: object = {}) => ({
  apiVersion: "networking.istio.io/v1",
  kind: "Gateway",
  metadata,
  spec: { servers: [{ port: { number: 80, name: "http", protocol: "HTTP" }, hosts: ["*"] }] },
  ...more,
});

describe("documents as kubectl prints them", () => {
  it("may have the fields that the API server sets, of any form", () => {
    const metadata = {
      name: "a",
      uid: "0d1",
      resourceVersion: "12",
      generation: 3,
      creationTimestamp: null,
      selfLink: "/apis",
      finalizers: ["x/y"],
      ownerReferences: [{ kind: "X" }],
      managedFields: [{ manager: "kubectl", fieldsV1: { "f:spec": {} } }],
      annotations: { "kubectl.kubernetes.io/last-applied-configuration": "{}\n" },
    };
    assert.deepEqual(parse(stringify(GATEWAY(metadata, { status: { conditions: [] } }))).faults, []);
  });

  it("still may not have fields with misspelt names", () => {
    assert.deepEqual(parse(stringify(GATEWAY({ name: "a", label: {} }, { stats: {} }))).faults, [
      'f:5:3: error: metadata has no field "label" (did you mean "labels"?) [PURSER_DOC_UNKNOWN_FIELD]',
      'f:14:1: error: The document has no field "stats" (did you mean "status"?) [PURSER_DOC_UNKNOWN_FIELD]',
    ]);
  });

  it("stand in lists, in lists of one kind, and in lists of lists, each with its own locations", () => {
    const bare = { metadata: { name: "c" }, spec: { servers: [] } };
    const text = stringify({
      apiVersion: "v1",
      kind: "List",
      metadata: { resourceVersion: "" },
      items: [
        GATEWAY({ name: "a" }),
        { apiVersion: "v1", kind: "List", items: [GATEWAY({ name: "b" })] },
        { apiVersion: "networking.istio.io/v1", kind: "GatewayList", items: [bare] },
        "text",
      ],
    });
    const { names, faults } = parse(text);
    assert.deepEqual(names, ["Gateway a", "Gateway b", "Gateway c"]);
    const line = (part: string) => text.slice(0, text.indexOf(part)).split("\n").length;
    assert.deepEqual(faults, [
      `f:${line("servers: []")}:20: error: spec.servers must be a list that is not empty, not an empty list [PURSER_DOC_INVALID_VALUE]`,
      `f:${line("- text")}:5: error: A document must be a map [PURSER_DOC_ENVELOPE]`,
    ]);
  });

  it("may be an empty list, but not a list without items", () => {
    assert.deepEqual(parse("{ apiVersion: v1, kind: List, items: [] }"), {
      documents: [],
      names: [],
      faults: [],
    });
    assert.deepEqual(parse("{ apiVersion: v1, kind: ServiceList, items: null }").faults, []);
    assert.deepEqual(parse("{ apiVersion: v1, kind: List, item: [] }").faults, [
      "f:1:1: error: A List needs items: a list of documents [PURSER_DOC_ENVELOPE]",
    ]);
  });

  it("give the same documents in a list as alone", () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/), { maxLength: 5 });
    fc.assert(
      fc.property(names, (all) => {
        const items = all.map((name) => GATEWAY({ name }));
        const alone = parse(items.map((item) => stringify(item)).join("---\n"));
        const list = parse(stringify({ apiVersion: "v1", kind: "List", items }));
        assert.deepEqual(list.names, alone.names);
        assert.deepEqual(
          list.documents.map(({ spec }) => spec),
          alone.documents.map(({ spec }) => spec),
        );
      }),
      { numRuns: 50 },
    );
  });
});

describe("documents of other programs", () => {
  const DEPLOYMENT = "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: reviews-v1 }\nspec: {}\n";

  it("are errors that name the flag, or skipped with one line each", () => {
    assert.deepEqual(parse(DEPLOYMENT).faults, [
      'f:2:7: error: Purser does not read the kind Deployment of "apps/v1"; with --skip-foreign it skips documents of other programs [PURSER_DOC_UNKNOWN_KIND]',
    ]);
    const text = `${DEPLOYMENT}---\n{ apiVersion: v1, kind: ConfigMap, data: { a: b } }\n---\n{ apiVersion: gateway.example.net/v1, kind: Gateway, metadata: { name: g } }`;
    assert.deepEqual(parse(text, { skipForeign: true }).faults, [
      'f:2:1: note: Skipped the Deployment reviews-v1 of "apps/v1" [PURSER_DOC_SKIPPED]',
      'f:6:19: note: Skipped the ConfigMap of "v1" [PURSER_DOC_SKIPPED]',
      'f:8:39: note: Skipped the Gateway g of "gateway.example.net/v1" [PURSER_DOC_SKIPPED]',
    ]);
  });

  it("are never documents of Istio and Purser, nor misspelt ones", () => {
    const kept = [
      ["security.istio.io/v1", "AuthorizationPolicie"],
      ["networking.istio.io/v1", "EnvoyFilter"],
      ["rbac.istio.io/v1alpha1", "ServiceRole"],
      ["purser.dev/v1", "AccesPolicy"],
      ["purser.dve/v1", "AccessPolicy"],
      ["Purser.dev/v1", "AccessPolicies"],
      ["networking.istio.oi/v1", "VirtualService"],
      ["v1", "Services"],
      ["v1", "Endpoint"],
      ["discovery.k8s.io/v1", "EndpointSlices"],
      ["", "AccessPolicy"],
    ];
    for (const [apiVersion, kind] of kept) {
      const text = JSON.stringify({ apiVersion, kind, metadata: { name: "a" }, spec: {} });
      assert.match(
        parse(text, { skipForeign: true }).faults.join("\n"),
        /: error: /,
        `${apiVersion} ${kind}`,
      );
    }
  });

  it("are never skipped when they are of a kind that is read", () => {
    const definitions = fc.constantFrom(...KINDS);
    fc.assert(
      fc.property(definitions, fc.nat(), ({ kind, writtenAs, apiVersions }: KindDefinition, index) => {
        const apiVersion = apiVersions[index % apiVersions.length];
        const { faults } = parse(JSON.stringify({ apiVersion, kind: writtenAs ?? kind }), {
          skipForeign: true,
        });
        assert.doesNotMatch(faults.join(), /SKIPPED/);
      }),
    );
  });

  it("are said what to write instead, when they are Istio's or the Gateway API's", () => {
    for (const kind of [
      "EnvoyFilter",
      "WasmPlugin",
      "ProxyConfig",
      "WorkloadGroup",
      "Telemetry",
      "ListenerSet",
      "Ingress",
    ]) {
      const text = `{ apiVersion: networking.istio.io/v1, kind: ${kind}, metadata: { name: a }, spec: {} }`;
      assert.match(parse(text).faults.join(), new RegExp(`The kind ${kind} is not supported: .*write`));
    }
  });
});
