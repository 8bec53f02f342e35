// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { type ErrorObject, Ajv2020 } from "ajv/dist/2020.js";
import { BUNDLED_ADAPTERS } from "../../../adapters/inventory.ts";
import { BUNDLED_PLUGINS } from "../../../plugins/inventory.ts";
import { documentsOn, filesEndingIn, readText } from "../../../test/support/documentation.ts";
import { KINDS } from "../catalog.ts";
import { writtenKind } from "../kinds/kind.ts";
import { parseDocuments } from "../parse-documents.ts";
import { readYaml } from "../yaml/read-yaml.ts";

/** A fault as an editor shows it: `/spec/config additionalProperties formatt`. */
function placeOf({ instancePath, keyword, params }: ErrorObject): string {
  const { additionalProperty = "" } = params as { readonly additionalProperty?: string };
  return `${instancePath} ${keyword} ${additionalProperty}`.trim();
}

describe("schemas/purser.schema.json", () => {
  const schema = JSON.parse(readText("schemas/purser.schema.json")) as Record<string, unknown>;
  const validate = new Ajv2020({ allErrors: true, strict: false }).compile(schema);
  /** Without the `if` that ajv reports beside each fault of its `then`; editors do not. */
  const faultsOf = (document: unknown): readonly string[] => {
    validate(document);
    return (validate.errors ?? []).filter(({ keyword }) => keyword !== "if").map(placeOf);
  };
  const document = (kind: string, spec: object, apiVersion = "purser.dev/v1") => ({
    apiVersion,
    kind,
    metadata: { name: "x" },
    spec,
  });

  it("accepts every document of the repository that Purser reads without a fault", () => {
    const folders = ["examples", "policies", "test/istio"].flatMap((folder) =>
      filesEndingIn(".yaml", folder),
    );
    const files = [
      ...folders.map((path) => ({ path, text: readText(path) })),
      ...filesEndingIn(".md", "docs").map((path) => ({ path, text: documentsOn(readText(path)) })),
    ];
    let count = 0;
    for (const file of files) {
      if (parseDocuments(file).diagnostics.some(({ severity }) => severity === "error")) continue;
      for (const { value } of readYaml(file).documents) {
        assert.deepEqual(faultsOf(value), [], `${file.path}: ${JSON.stringify(value)}`);
        count += 1;
      }
    }
    assert.ok(count > 300, String(count));
  });

  for (const definition of KINDS.filter(({ whole }) => whole !== true)) {
    const { kind, apiVersions } = definition;
    it(`reports a field that ${kind} lacks once, at its place`, () => {
      const faults = faultsOf(document(writtenKind(definition), { typo: 1 }, apiVersions[0]));
      assert.deepEqual(
        faults.filter((fault) => !fault.endsWith("required")),
        ["/spec additionalProperties typo"],
      );
    });
  }

  for (const [sort, extensions] of [
    ["adapter", BUNDLED_ADAPTERS],
    ["plugin", BUNDLED_PLUGINS],
  ] as const)
    for (const { name } of extensions)
      it(`reports a key that the configuration of ${name} lacks once, at its place`, () => {
        const faults = faultsOf(document("Handler", { [sort]: name, config: { typo: 1 } }));
        assert.deepEqual(
          faults.filter((fault) => !/required|anyOf/.test(fault)),
          ["/spec/config additionalProperties typo"],
        );
        assert.deepEqual(
          faultsOf(document("Handler", { [sort]: name, from: "./own.js", config: { typo: 1 } })),
          [],
        );
      });

  it("reports kinds, extensions and values that do not exist at their own places", () => {
    assert.deepEqual(faultsOf(document("Accesspolicy", {})), ["/kind enum"]);
    assert.deepEqual(faultsOf({}), ["required"]);
    assert.deepEqual(faultsOf(document("Handler", { adapter: "promtheus" })), ["/spec/adapter enum"]);
    assert.deepEqual(faultsOf(document("Handler", { adapter: "prometheus", from: "" })), [
      "/spec/from minLength",
    ]);
    assert.deepEqual(faultsOf(document("Handler", { adapter: "webhook" })), ["/spec required"]);
    assert.deepEqual(faultsOf(document("AccessPolicy", { action: "DENYY", when: "true" })), [
      "/spec/action enum",
    ]);
    assert.deepEqual(faultsOf(document("AccessPolicy", { action: "DENY" }, "v2")), ["/apiVersion enum"]);
  });

  it("tells the Gateways of Istio and Kubernetes apart by the API's group", () => {
    const istio = {
      selector: { app: "x" },
      servers: [{ port: { number: 80, name: "http", protocol: "HTTP" }, hosts: ["*"] }],
    };
    const kubernetes = { gatewayClassName: "purser", listeners: [{ name: "a", port: 80, protocol: "HTTP" }] };
    const both = (spec: object): readonly (readonly string[])[] =>
      ["networking.istio.io/v1", "gateway.networking.k8s.io/v1"].map((apiVersion) =>
        faultsOf(document("Gateway", spec, apiVersion)),
      );
    assert.deepEqual(both(istio)[0], []);
    assert.deepEqual(both(kubernetes)[1], []);
    assert.ok(both(istio)[1]?.includes("/spec additionalProperties servers"));
    assert.ok(both(kubernetes)[0]?.includes("/spec additionalProperties listeners"));
  });

  it("reports faults in the items of a List, and accepts the items of other lists", () => {
    const items = [
      document("AccessPolicy", { action: "DENY" }),
      document("AccessPolicy", { action: "DENYY" }),
    ];
    assert.deepEqual(faultsOf({ apiVersion: "v1", kind: "List", items }), ["/items/1/spec/action enum"]);
    assert.deepEqual(faultsOf({ apiVersion: "v1", kind: "List", items: null }), []);
    assert.deepEqual(faultsOf({ kind: "VirtualServiceList", items: [{ metadata: {} }] }), []);
  });
});
