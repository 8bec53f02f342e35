// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { formatDiagnostic } from "../../../kernel/diagnostic.ts";
import { parseDocuments } from "../parse-documents.ts";
import { isExportedTo } from "./export-to.ts";

const SPECS = {
  ServiceEntry: { hosts: ["a"], ports: [{ number: 80, name: "http", protocol: "HTTP" }], resolution: "DNS" },
  VirtualService: { hosts: ["a"], http: [{ route: [{ destination: { host: "a" } }] }] },
  DestinationRule: { host: "a" },
} as const;

function faultsOf(kind: keyof typeof SPECS, exportTo: unknown): readonly string[] {
  const apiVersion = "networking.istio.io/v1";
  const spec = { exportTo, ...SPECS[kind] };
  const text = JSON.stringify({ apiVersion, kind, metadata: { name: "x" }, spec }, undefined, 1);
  return parseDocuments({ path: "x", text }).diagnostics.map((diagnostic) => formatDiagnostic(diagnostic));
}

describe("exportTo", () => {
  for (const kind of Object.keys(SPECS) as (keyof typeof SPECS)[]) {
    for (const exportTo of [["."], ["*"], ["~"], ["shop"], [".", "shop", "team-2"]])
      it(`of a ${kind} may be ${JSON.stringify(exportTo)}`, () => {
        assert.deepEqual(faultsOf(kind, exportTo), []);
      });

    for (const [exportTo, expected] of [
      [[], /must be/],
      [["Shop"], /exportTo\[0\] must be a namespace, "\."/],
      [["shop.example"], /exportTo\[0\] must be a namespace/],
      [[""], /exportTo\[0\] must be a namespace/],
      ["*", /exportTo must be/],
      [["."].concat("."), /"\." is listed twice/],
      [["shop", "*"], /^x:10:4: .*"\*" is all namespaces, and must be the only entry/],
      [["~", "."], /^x:9:4: .*"~" is no namespace, and must be the only entry/],
    ] as const)
      it(`of a ${kind} may not be ${JSON.stringify(exportTo)}`, () => {
        const faults = faultsOf(kind, exportTo);
        assert.equal(faults.length, 1, faults.join("\n"));
        assert.match(faults[0] as string, expected);
      });
  }

  for (const [exportTo, own, other] of [
    [undefined, true, true],
    [["*"], true, true],
    [["."], true, false],
    [["~"], false, false],
    [["client"], false, true],
    [["elsewhere"], false, false],
    [[".", "client"], true, true],
  ] as const)
    it(`${JSON.stringify(exportTo)} of a document in shop shows it to ${own ? "" : "no "}proxies in shop, and ${other ? "" : "none "}in client`, () => {
      assert.equal(isExportedTo(exportTo, "shop", "shop"), own);
      assert.equal(isExportedTo(exportTo, "shop", "client"), other);
    });
});
