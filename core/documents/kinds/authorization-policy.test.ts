// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { formatDiagnostic } from "../../../kernel/diagnostic.ts";
import { parseDocuments } from "../parse-documents.ts";

/** The faults of an AuthorizationPolicy with this spec. */
function faultsOf(spec: unknown): readonly string[] {
  const text = JSON.stringify({
    apiVersion: "security.istio.io/v1beta1",
    kind: "AuthorizationPolicy",
    metadata: { name: "x" },
    spec,
  });
  return parseDocuments({ path: "x", text }).diagnostics.map((diagnostic) =>
    formatDiagnostic(diagnostic).replace(/^x:\d+:\d+: error: /, ""),
  );
}

const source = (fields: object) => ({ rules: [{ from: [{ source: fields }] }] });
const operation = (fields: object) => ({ rules: [{ to: [{ operation: fields }] }] });
const when = (condition: object) => ({ rules: [{ when: [condition] }] });

describe("the fields of an AuthorizationPolicy", () => {
  it("are refused where Istio refuses them, or where they could never match, with the reason", () => {
    const cases: readonly (readonly [unknown, RegExp])[] = [
      [{ action: "BLOCK" }, /DENY/],
      [{ action: "CUSTOM", rules: [{}] }, /CUSTOM needs the field provider/],
      [{ provider: { name: "x" } }, /provider has no effect without action: CUSTOM/],
      [{ action: "CUSTOM", provider: { name: "x" } }, /CUSTOM without rules/],
      [{ targetRefs: [] }, /targetRefs/],
      [{ targetRefs: [{ group: "", kind: "Service", name: "a" }] }, /targetRefs/],
      [
        {
          selector: { matchLabels: { a: "b" } },
          targetRefs: [{ group: "networking.istio.io", kind: "Gateway", name: "a" }],
        },
        /either selector or targetRefs/,
      ],
      [{ rules: [] }, /rules/],
      [{ rules: [{ from: [] }] }, /from/],
      [{ rules: [{ from: [{}] }] }, /source/],
      [source({}), /source/],
      [operation({}), /operation/],
      [operation({ methods: [] }), /methods/],
      [operation({ methods: [""] }), /methods/],
      [operation({ method: ["GET"] }), /method.*did you mean "methods"/],
      [operation({ methods: ["get"] }), /upper case: "GET"/],
      [operation({ paths: ["admin"] }), /begins with \/ or \*/],
      [operation({ paths: ["/a?b=c"] }), /no query/],
      [operation({ paths: ["/a*b"] }), /stand for itself/],
      [operation({ paths: ["*a*"] }), /stand for itself/],
      [operation({ paths: ["/a/{x}"] }), /\{\*\} and \{\*\*\} alone/],
      [operation({ paths: ["/a/b{*}"] }), /whole segments/],
      [operation({ paths: ["/a/{**}/b"] }), /last segment/],
      [operation({ paths: ["/a/{*}/*"] }), /no other brace or \*/],
      [operation({ ports: ["http"] }), /no port/],
      [operation({ notPorts: ["70000"] }), /no port/],
      [operation({ hosts: ["a.*.com"] }), /stand for itself/],
      [operation({ hosts: ["a.com:8*"] }), /write the whole port/],
      [operation({ notHosts: ["[2001:db8::1]:8*"] }), /write the whole port/],
      [source({ principals: ["spiffe://cluster.local/ns/a/sa/b"] }), /without spiffe:\/\//],
      [source({ ipBlocks: ["10.0.0.0/33"] }), /prefix length/],
      [source({ remoteIpBlocks: ["here"] }), /is not an IP address/],
      [source({ serviceAccounts: ["a/*"] }), /without wildcards/],
      [source({ serviceAccounts: ["a/b"], namespaces: ["a"] }), /cannot stand beside/],
      [when({ key: "request.header[x]", values: ["a"] }), /There is no key "request.header\[x\]"/],
      [when({ key: "request.headers[]", values: ["a"] }), /There is no key/],
      [when({ key: "request.headers[x]" }), /needs values or notValues/],
      [when({ key: "destination.port", values: ["http"] }), /no port/],
      [when({ key: "source.ip", notValues: ["x"] }), /is not an IP address/],
    ];
    for (const [spec, expected] of cases) {
      const faults = faultsOf(spec);
      assert.ok(faults.length > 0, JSON.stringify(spec));
      assert.match(faults.join("\n"), expected, JSON.stringify(spec));
    }
  });

  it("are accepted in all of Istio's forms", () => {
    const specs: readonly unknown[] = [
      {},
      { selector: { matchLabels: { app: "httpbin" } }, action: "DENY", rules: [{}] },
      operation({
        paths: ["/a/{*}/b/{**}", "/*", "*/x", "*"],
        hosts: ["*.a.com", "a.com:*", "[2001:db8::1]:*", "[2001:1*"],
        ports: ["1", "65535"],
      }),
      source({ principals: ["*"], requestPrincipals: ["https://a/*"], ipBlocks: ["::1", "10.0.0.0/8"] }),
      when({ key: "request.auth.claims[a][b]", values: ["x"], notValues: ["y"] }),
      { action: "CUSTOM", provider: { name: "opa" }, rules: [{}] },
    ];
    for (const spec of specs) assert.deepEqual(faultsOf(spec), [], JSON.stringify(spec));
  });
});
