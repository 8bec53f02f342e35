// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { formatDiagnostic } from "../../../kernel/diagnostic.ts";
import { parseDocuments } from "../parse-documents.ts";

const HTTP = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: { name: a }\n";
const ACCESS = "apiVersion: purser.dev/v1\nkind: AccessPolicy\nmetadata: { name: a }\n";

/** Every field of documents for headers, as a function from a name (in JSON) and value to a document. */
const PLACES: Record<string, (name: string, value: string) => string> = {};
for (const side of ["request", "response"]) {
  for (const verb of ["set", "append"])
    PLACES[`AccessPolicy headers.${side}.${verb}`] = (name, value) =>
      `${ACCESS}spec: { action: ALLOW, headers: { ${side}: { ${verb}: { ${name}: ${value} } } } }`;
  PLACES[`AccessPolicy headers.${side}.remove`] = (name) =>
    `${ACCESS}spec: { action: ALLOW, headers: { ${side}: { remove: [${name}] } } }`;
  for (const verb of ["set", "add"])
    PLACES[`VirtualService headers.${side}.${verb}`] = (name, value) =>
      `${HTTP}spec: { hosts: [a], http: [{ route: [{ destination: { host: b } }], headers: { ${side}: { ${verb}: { ${name}: ${value} } } } }] }`;
  PLACES[`VirtualService destination ${side}.remove`] = (name) =>
    `${HTTP}spec: { hosts: [a], http: [{ route: [{ destination: { host: b }, headers: { ${side}: { remove: [${name}] } } }] }] }`;
}
PLACES["AccessPolicy directResponse.headers"] = (name, value) =>
  `${ACCESS}spec: { action: DENY, directResponse: { code: 403, headers: { ${name}: ${value} } } }`;

function faults(text: string): readonly string[] {
  return parseDocuments({ path: "a.yaml", text }).diagnostics.map((diagnostic) =>
    formatDiagnostic(diagnostic),
  );
}

const NAMES = (
  "connection content-length expect host keep-alive proxy-connection te trailer transfer-encoding upgrade " +
  "Transfer-Encoding HOST :path é x:"
)
  .split(" ")
  .concat("x y", "");

describe("headers that documents write", () => {
  for (const [place, document] of Object.entries(PLACES)) {
    for (const name of NAMES)
      it(`${place} refuses ${JSON.stringify(name)} at its place`, () => {
        const found = faults(document(JSON.stringify(name), '"1"'));
        assert.equal(found.length, 1, found.join("\n"));
        assert.match(found[0] ?? "", /^a\.yaml:4:\d+: error: .*PURSER_DOC_INVALID_VALUE/);
      });

    for (const name of ["x-user", "X-User", "content-type", "set-cookie", "authorization"])
      it(`${place} takes ${name}`, () => {
        assert.deepEqual(faults(document(JSON.stringify(name), '"1"')), []);
      });
  }

  for (const [place, document] of Object.entries(PLACES).filter(([name]) =>
    /directResponse|VirtualService.*(set|add)/.test(name),
  )) {
    for (const value of ["a\r\nb: c", "a\nb", "a\u0000", "\u007f", "\ud83d"])
      it(`${place} refuses the value ${JSON.stringify(value)}`, () => {
        assert.match(faults(document("x-a", JSON.stringify(value))).join("\n"), /The value of x-a/);
      });
    for (const value of ["", "a\tb", "é", "日本", "🦀"])
      it(`${place} takes the value ${JSON.stringify(value)}`, () => {
        assert.deepEqual(faults(document("x-a", JSON.stringify(value))), []);
      });
    it(`${place} refuses one header in two spellings`, () => {
      assert.match(faults(document("x-a", '"1", X-A: "2"')).join("\n"), /X-A and x-a are the same header/);
    });
  }

  for (const place of ["request.set", "request.append", "response.set", "response.append"])
    for (const value of ["a\nb", "a\r\nb: c", "\0", "\x7f", "\ud83d"])
      it(`AccessPolicy headers.${place} refuses the quoted text ${JSON.stringify(value)}`, () => {
        const document = PLACES[`AccessPolicy headers.${place}`];
        assert.ok(document);
        const literal = JSON.stringify(JSON.stringify(value));
        assert.match(faults(document("x-a", literal)).join("\n"), /^a\.yaml:4:\d+: error: The value of x-a/);
        const computed = JSON.stringify(`${JSON.stringify(value)} & request.method`);
        assert.deepEqual(faults(document("x-a", computed)), []);
        assert.deepEqual(faults(document("x-a", JSON.stringify('"日本"'))), []);
      });

  for (const code of [100, 101, 199, 600, 999])
    it(`a direct response of ${code} is refused`, () => {
      const text = `${ACCESS}spec: { action: DENY, directResponse: { code: ${code} } }`;
      assert.match(faults(text).join("\n"), /PURSER_DOC_INVALID_VALUE/);
    });
});
